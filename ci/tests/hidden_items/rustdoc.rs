//! The items that another crate can reach, read from rustdoc's JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use ci::root;
use serde_json::Value;

use crate::list::{Item, Key};
use crate::macros;

/// Library crates that a PD's program does not use by name: tools, kernels, and crates that tools
/// or kernels share with the runtime.
const INTERNAL: [&str; 7] = [
    "boot_spec",
    "kernel_aarch64",
    "kernel_model",
    "microkit_abi",
    "microkit_check",
    "microkit_image",
    "microkit_sdf",
];

/// Crates that need an operating system.
const HOST_ONLY: [&str; 1] = ["microkit_test"];

const TARGET: &str = "aarch64-unknown-none";

/// Private items are included, because their public parts can be reached through values.
const FLAGS: &str = "-Zunstable-options --output-format json --document-hidden-items \
                     --document-private-items -Awarnings";

/// An error in the expansion of a macro's arm.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    pub(crate) place: String,
    pub(crate) sentence: String,
}

/// The items and findings of the public crates.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) crates: usize,
    pub(crate) items: BTreeMap<Key, Item>,
    pub(crate) findings: BTreeSet<Finding>,
}

/// Reads all public crates, in the build for the host and in the build for the target.
pub(crate) fn public_crates() -> Found {
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo knows the workspace");
    let folder = root().join("crates");
    let libraries = |kind: cargo_metadata::TargetKind| -> BTreeMap<String, String> {
        let packages = metadata.packages.iter();
        packages
            .filter(|package| package.manifest_path.as_std_path().starts_with(&folder))
            .flat_map(|package| package.targets.iter().map(move |target| (package, target)))
            .filter(|(_, target)| target.kind.contains(&kind))
            .map(|(package, target)| (target.name.replace('-', "_"), package.name.to_string()))
            .collect()
    };
    let own = libraries(cargo_metadata::TargetKind::Lib);
    let proc_macros = libraries(cargo_metadata::TargetKind::ProcMacro);
    let cx = Context {
        own: own.keys().map(String::as_str).collect(),
        proc_macros: proc_macros.keys().map(String::as_str).collect(),
    };
    let mut found = Found::default();
    let doc = metadata.target_directory.join("hidden-items");
    for target in [None, Some(TARGET)] {
        let crates: BTreeMap<&String, &String> = own
            .iter()
            .filter(|(library, _)| !INTERNAL.contains(&library.as_str()))
            .filter(|(library, _)| target.is_none() || !HOST_ONLY.contains(&library.as_str()))
            .collect();
        document(crates.values().copied(), target, doc.as_std_path());
        found.crates = found.crates.max(crates.len());
        for library in crates.into_keys() {
            let file = doc
                .join(target.unwrap_or_default())
                .join(format!("doc/{library}.json"));
            let text = fs::read_to_string(&file)
                .unwrap_or_else(|error| panic!("rustdoc has not written {file}: {error}"));
            let json = serde_json::from_str(&text).expect("rustdoc writes JSON");
            read(&json, &cx, &mut found);
        }
    }
    found
}

/// Runs cargo to write the JSON of the packages' libraries.
fn document<'a>(packages: impl Iterator<Item = &'a String>, target: Option<&str>, into: &Path) {
    let mut cargo = Command::new(env::var_os("CARGO").expect("cargo runs this"));
    cargo
        .args(["doc", "--quiet", "--lib", "--no-deps", "--all-features"])
        .arg("--target-dir")
        .arg(into)
        .args(packages.flat_map(|package| ["--package", package]))
        .args(target.iter().flat_map(|target| ["--target", target]))
        // The JSON format exists in stable rustdoc, but only behind an unstable option.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTDOCFLAGS", FLAGS)
        // The list is for one kernel configuration, so these variables must not select another.
        .env_remove("MICROKIT_SDK")
        .env_remove("MICROKIT_BOARD")
        .env_remove("MICROKIT_CONFIG")
        .current_dir(root());
    let status = cargo.status().expect("cargo can be run");
    assert!(status.success(), "cargo doc failed: see above");
}

/// Crates whose macros and items have their own lines in the list.
#[derive(Default)]
pub(crate) struct Context<'a> {
    /// Libraries of this repository.
    own: Vec<&'a str>,
    /// Libraries of this repository with procedural macros.
    proc_macros: Vec<&'a str>,
}

/// Adds the hidden public items of one crate, and its macros.
pub(crate) fn read(json: &Value, cx: &Context<'_>, found: &mut Found) {
    let mut walk = Walk {
        json,
        cx,
        reached: BTreeMap::new(),
        modules: Vec::new(),
        handed_out: Vec::new(),
        findings: BTreeSet::new(),
    };
    walk.item(&json["root"], None, false);
    while let Some(id) = walk.handed_out.pop() {
        walk.unnamed(id);
    }
    for Reached { hidden, items } in walk.reached.into_values() {
        if hidden {
            found.items.extend(items);
        }
    }
    found.findings.extend(walk.findings);
}

struct Walk<'a> {
    json: &'a Value,
    cx: &'a Context<'a>,
    /// The reached items by identifier. Several paths may lead to one item.
    reached: BTreeMap<String, Reached>,
    /// The modules on the current path. They show when re-exports form a cycle.
    modules: Vec<&'a Value>,
    /// The types of fields and of function results.
    handed_out: Vec<&'a Value>,
    findings: BTreeSet<Finding>,
}

/// An item, or the arms of a macro.
struct Reached {
    /// Whether all paths to the item are undocumented. A macro always counts as hidden, because the
    /// list contains all macros.
    hidden: bool,
    /// The items, named by the shortest path.
    items: Vec<(Key, Item)>,
}

impl<'a> Walk<'a> {
    fn get(&self, id: &Value) -> Option<&'a Value> {
        self.json["index"].get(id.to_string())
    }

    /// Walks an item of `parent`.
    fn item(&mut self, id: &'a Value, parent: Option<&str>, hidden: bool) {
        let Some(item) = self.get(id) else { return };
        let hidden = hidden || is_hidden(item);
        let (kind, inner) = inner(item);
        if kind == "use" {
            return self.re_export(id, inner, parent.unwrap_or_default(), hidden);
        }
        let name = item["name"].as_str().unwrap_or_default();
        let path = match parent {
            Some(parent) => format!("{parent}::{name}"),
            None => name.to_owned(),
        };
        self.at(id, item, &path, hidden);
    }

    /// Walks an item with this path.
    fn at(&mut self, id: &'a Value, item: &'a Value, path: &str, hidden: bool) {
        let (kind, inner) = inner(item);
        match kind {
            "module" => {
                if self.modules.contains(&id) {
                    return;
                }
                self.modules.push(id);
                self.members(&inner["items"], path, hidden);
                self.modules.pop();
            }
            "macro" => self.declarative_macro(id, item, path, hidden),
            "function" => {
                self.reach(id, path, kind, is_unsafe(&inner["header"]), hidden);
                types_in(&inner["sig"]["output"], &mut self.handed_out);
            }
            _ => {
                if ["struct_field", "assoc_type", "constant", "static"].contains(&kind) {
                    types_in(inner, &mut self.handed_out);
                }
                self.reach(id, path, kind, is_unsafe(inner), hidden);
                self.members(&inner["items"], path, hidden);
                self.members(&inner["variants"], path, hidden);
                self.members(&inner["fields"], path, hidden);
                let fields = &inner["kind"];
                for fields in [
                    &fields["plain"]["fields"],
                    &fields["struct"]["fields"],
                    &fields["tuple"],
                ] {
                    self.members(fields, path, hidden);
                }
                self.implementations(&inner["impls"], path, hidden, false);
                self.implementations(&inner["implementations"], path, hidden, true);
            }
        }
    }

    /// Walks a type without a public path. Other crates get its values and can call its methods.
    fn unnamed(&mut self, id: &'a Value) {
        let Some(item) = self.get(id) else { return };
        let (kind, _) = inner(item);
        let is_type = ["struct", "enum", "union"].contains(&kind);
        if is_type && item["visibility"] == "public" && !self.reached.contains_key(&id.to_string())
        {
            let library = self
                .get(&self.json["root"])
                .map_or(&Value::Null, |root| &root["name"]);
            let [library, name] =
                [library, &item["name"]].map(|name| name.as_str().unwrap_or_default());
            self.at(id, item, &format!("{library}::(unnamed) {name}"), true);
        }
    }

    /// Walks the items in `ids` that other crates can use.
    fn members(&mut self, ids: &'a Value, path: &str, hidden: bool) {
        for id in ids.as_array().into_iter().flatten() {
            // The parts of a trait, an implementation of a trait and an enum have the visibility
            // `default`.
            let is_public = |item: &Value| {
                ["public", "default"]
                    .iter()
                    .any(|word| item["visibility"] == *word)
            };
            if self.get(id).is_some_and(is_public) {
                self.item(id, Some(path), hidden);
            }
        }
    }

    fn re_export(&mut self, id: &Value, inner: &'a Value, parent: &str, hidden: bool) {
        let name = inner["name"].as_str().unwrap_or_default();
        let path = format!("{parent}::{name}");
        if let Some(item) = self.get(&inner["id"]) {
            if inner["is_glob"] == true {
                self.at(&inner["id"], item, parent, hidden);
            } else {
                let hidden = hidden || is_hidden(item);
                self.at(&inner["id"], item, &path, hidden);
            }
            return;
        }
        let external = &self.json["paths"][inner["id"].to_string()];
        let library = external["path"][0].as_str().unwrap_or_default();
        if self.cx.proc_macros.contains(&library) {
            let kind = match external["kind"].as_str() {
                Some("proc_attribute") => "attribute macro",
                Some("proc_derive") => "derive macro",
                _ => "procedural macro",
            };
            self.reach(id, &path, kind, false, true);
        } else if !self.cx.own.contains(&library) {
            let source = inner["source"].as_str().unwrap_or_default();
            self.reach(id, &path, &format!("re-export of {source}"), false, hidden);
        }
    }

    /// Walks the implementations for a type, or, if `of_trait`, the implementations of a trait.
    fn implementations(&mut self, ids: &'a Value, path: &str, hidden: bool, of_trait: bool) {
        for id in ids.as_array().into_iter().flatten() {
            let Some(item) = self.get(id) else { continue };
            let (_, inner) = inner(item);
            let attributes = item["attrs"].to_string();
            let is_written = inner["is_synthetic"] == false
                && inner["blanket_impl"].is_null()
                && inner["is_negative"] == false
                // The compiler's derives are trusted.
                && !attributes.contains("automatically_derived");
            if !is_written {
                continue;
            }
            let hidden = hidden || is_hidden(item);
            if of_trait {
                if hidden {
                    let kind = format!("impl for {}", shown(&inner["for"]));
                    self.reach(id, path, &kind, is_written_unsafe(item), true);
                }
            } else if inner["trait"].is_null() {
                self.members(&inner["items"], path, hidden);
            } else if hidden {
                let kind = format!("impl {}", shown(&inner["trait"]));
                self.reach(id, path, &kind, is_written_unsafe(item), true);
            }
        }
    }

    /// Adds each arm of a macro, and the findings in its expansion.
    fn declarative_macro(&mut self, id: &Value, item: &Value, path: &str, hidden: bool) {
        let file = item["span"]["filename"].as_str().unwrap_or_default();
        let source = fs::read_to_string(root().join(file))
            .unwrap_or_else(|error| panic!("{file}, where {path}! is, cannot be read: {error}"));
        let arms = macros::arms(&source, item["name"].as_str().unwrap_or_default());
        assert!(!arms.is_empty(), "{path}! was not found in {file}");
        let kind = if hidden { "hidden arm" } else { "arm" };
        for arm in &arms {
            let place = match &*arm.pattern {
                "" => format!("{path}! {{}}"),
                pattern => format!("{path}! {{ {pattern} }}"),
            };
            let findings = arm.findings();
            self.findings
                .extend(findings.into_iter().map(|sentence| Finding {
                    place: place.clone(),
                    sentence,
                }));
            self.reach(
                &Value::String(format!("{id} {}", arm.pattern)),
                &place,
                kind,
                false,
                true,
            );
        }
    }

    fn reach(&mut self, id: &Value, path: &str, kind: &str, is_unsafe: bool, hidden: bool) {
        let key = Key {
            path: path.to_owned(),
            kind: kind.to_owned(),
        };
        let new = Reached {
            hidden,
            items: vec![(key, Item { is_unsafe })],
        };
        match self.reached.get_mut(&id.to_string()) {
            Some(known) => {
                known.hidden &= hidden;
                if new.items[0].0.path.len() < known.items[0].0.path.len() {
                    known.items = new.items;
                }
            }
            None => {
                self.reached.insert(id.to_string(), new);
            }
        }
    }
}

/// Returns the kind of an item, and its data.
fn inner(item: &Value) -> (&str, &Value) {
    let inner = item["inner"].as_object();
    let inner = inner.and_then(|inner| inner.iter().next());
    inner.map_or(("", &Value::Null), |(kind, inner)| (kind.as_str(), inner))
}

/// Returns whether the item has `doc(hidden)`. Attributes are strings in some versions of the
/// format, and objects with strings in others.
fn is_hidden(item: &Value) -> bool {
    item["attrs"].to_string().contains("doc(hidden)")
}

fn is_unsafe(inner: &Value) -> bool {
    inner["is_unsafe"] == true
}

/// Returns whether the item's source starts with `unsafe`. Rustdoc does not report `unsafe` for
/// implementations.
fn is_written_unsafe(item: &Value) -> bool {
    let span = &item["span"];
    let file = root().join(span["filename"].as_str().unwrap_or_default());
    let source = fs::read_to_string(&file).unwrap_or_default();
    let [line, column] = [&span["begin"][0], &span["begin"][1]]
        .map(|place| place.as_u64().unwrap_or_default() as usize);
    let line = source.lines().nth(line.saturating_sub(1));
    line.and_then(|line| line.get(column.saturating_sub(1)..))
        .is_some_and(|code| code.starts_with("unsafe"))
}

/// Adds the named types that a type contains.
fn types_in<'a>(of: &'a Value, found: &mut Vec<&'a Value>) {
    match of {
        Value::Object(of) => {
            if let Some(id) = of.get("resolved_path").map(|path| &path["id"]) {
                found.push(id);
            }
            of.values().for_each(|inner| types_in(inner, found));
        }
        Value::Array(of) => of.iter().for_each(|inner| types_in(inner, found)),
        _ => (),
    }
}

/// Formats a type or a trait, with the last part of its path.
fn shown(of: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if of["path"].is_string() {
        return text(&of["path"]);
    }
    let Some((kind, inner)) = of.as_object().and_then(|of| of.iter().next()) else {
        return String::new();
    };
    match kind.as_str() {
        "primitive" | "generic" => text(inner),
        "resolved_path" => text(&inner["path"]),
        "array" => format!("[{}; {}]", shown(&inner["type"]), text(&inner["len"])),
        "slice" => format!("[{}]", shown(inner)),
        "borrowed_ref" => format!("&{}", shown(&inner["type"])),
        "raw_pointer" => format!("*{}", shown(&inner["type"])),
        "tuple" => {
            let types: Vec<String> = inner.as_array().into_iter().flatten().map(shown).collect();
            format!("({})", types.join(", "))
        }
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::list::Line;

    const PLANTED: &str = r#"
pub fn documented() {}
mod private {
    pub fn unreachable() {}
    #[doc(hidden)]
    pub fn hidden_only_where_it_is_made() {}
    #[doc(hidden)]
    pub fn elsewhere() {}
    pub fn seen() {}
    pub struct Unnamed;
    impl Unnamed {
        pub fn method(&self) {}
    }
    pub struct NotHandedOut;
    impl NotHandedOut {
        pub fn method(&self) {}
    }
}
#[doc(hidden)]
pub use private::elsewhere;
pub use private::seen;
pub use private::hidden_only_where_it_is_made;
#[doc(hidden)]
pub mod _private {
    pub use super::documented;
    pub use super::private::seen as also_seen;
    pub use core::mem;
    pub unsafe fn promised() {}
    pub(crate) fn not_public() {}
    pub mod inner {
        pub const NUMBER: u8 = 1;
        pub use super::super::_private;
    }
    pub fn gives() -> Option<crate::private::Unnamed> { None }
}
pub struct Type {
    #[doc(hidden)]
    pub field: u8,
    private: u8,
}
impl Type {
    #[doc(hidden)]
    pub fn method(&self) -> u8 { self.private }
    #[doc(hidden)]
    fn private_method(&self) {}
}
#[doc(hidden)]
impl Clone for Type {
    fn clone(&self) -> Self { loop {} }
}
impl Drop for Type {
    fn drop(&mut self) {}
}
pub trait Trait {
    #[doc(hidden)]
    fn run(&self) {}
}
pub enum Enum {
    #[doc(hidden)]
    Variant,
}
#[doc(hidden)]
pub mod globbed {
    pub mod deep {
        pub static TABLE: [u8; 2] = [0; 2];
    }
    pub use deep::*;
}
#[doc(hidden)]
pub trait HiddenTrait {}
impl HiddenTrait for [u8; 4] {}
#[doc(hidden)]
#[derive(Debug)]
pub struct Pointer(pub *const u8);
unsafe impl Sync for Pointer {}
#[doc(hidden)]
#[macro_export]
macro_rules! __helper {
    ($text:literal) => { core::arch::global_asm!($text); };
    () => {};
}
#[macro_export]
macro_rules! shown { ($value:expr) => { unsafe { $value } }; }
macro_rules! own { () => {}; }
own!();
"#;

    const EXPECTED: &str = "\
planted::(unnamed) Unnamed — struct — safe
planted::(unnamed) Unnamed::method — function — safe
planted::Enum::Variant — variant — safe
planted::HiddenTrait — impl for [u8; 4] — safe
planted::HiddenTrait — trait — safe
planted::Pointer — impl Sync — unsafe
planted::Pointer — struct — safe
planted::Pointer::0 — struct_field — safe
planted::Trait::run — function — safe
planted::Type — impl Clone — safe
planted::Type::field — struct_field — safe
planted::Type::method — function — safe
planted::__helper! { $text:literal } — hidden arm — safe
planted::__helper! {} — hidden arm — safe
planted::_private::gives — function — safe
planted::_private::inner::NUMBER — constant — safe
planted::_private::mem — re-export of core::mem — safe
planted::_private::promised — function — unsafe
planted::elsewhere — function — safe
planted::globbed::TABLE — static — safe
planted::hidden_only_where_it_is_made — function — safe
planted::shown! { $value:expr } — arm — safe
";

    #[test]
    fn hidden_items_are_found_and_nothing_else() {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let source = folder.join("planted.rs");
        fs::write(&source, PLANTED).expect("cargo made the folder for tests");
        let status = Command::new(env::var_os("RUSTDOC").unwrap_or("rustdoc".into()))
            .args(["--edition=2024", "--out-dir"])
            .args([folder, &source])
            .args(FLAGS.split_whitespace())
            .env("RUSTC_BOOTSTRAP", "1")
            .status()
            .expect("rustdoc can be run");
        assert!(status.success(), "rustdoc failed: see above");
        let json = fs::read_to_string(folder.join("planted.json")).expect("rustdoc has written it");
        let json = serde_json::from_str(&json).expect("rustdoc writes JSON");
        let mut found = Found::default();
        read(&json, &Context::default(), &mut found);
        let lines = found
            .items
            .iter()
            .map(|(key, &item)| Line(key, item).to_string());
        let lines: String = lines
            .map(|line| line.trim_end_matches(" — ").to_owned() + "\n")
            .collect();
        assert_eq!(lines, EXPECTED);
        let findings: Vec<&str> = found
            .findings
            .iter()
            .map(|finding| &*finding.place)
            .collect();
        assert_eq!(
            findings,
            [
                "planted::__helper! { $text:literal }",
                "planted::shown! { $value:expr }"
            ]
        );
    }
}
