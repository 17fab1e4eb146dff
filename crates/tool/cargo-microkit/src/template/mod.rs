//! The templates of `new` and `init`. A new package runs, and passes its tests and `check`, without
//! a change.
//!
//! `build.rs` packs the folder `templates` into this program. The programs, tests and system files
//! of a template are symbolic links to an example, so a template cannot differ from its example.
//! For a new package, only names and paths are replaced.

mod name;
mod runtime;

use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use miette::Result;

pub(crate) use name::PackageName;
pub(crate) use runtime::Runtime;

use crate::files;

/// A template.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) name: &'static str,
    /// The folder in `examples` that the template is linked to.
    pub(crate) example: &'static str,
    /// A line about the system.
    pub(crate) about: &'static str,
    /// A line that the system prints.
    pub(crate) prints: &'static str,
}

/// All templates, in reading order.
pub(crate) static ALL: [Template; 6] = [
    Template {
        name: "hello",
        example: "hello",
        about: "one PD that prints a line",
        prints: "hello, world",
    },
    Template {
        name: "ping-pong",
        example: "ping-pong",
        about: "two PDs that notify each other",
        prints: "     pong 1",
    },
    Template {
        name: "typed",
        example: "ping-pong-typed",
        about: "calls with types: a protocol, and channels and memory by name",
        prints: "ping: add 2: Ok(3)",
    },
    Template {
        name: "server",
        example: "sums",
        about: "a passive server with a session for each client, and two clients",
        prints: "server: client 1 opens a sum",
    },
    Template {
        name: "driver",
        example: "clock",
        about: "a driver with registers and an interrupt, and its client",
        prints: "client: alarm 1 rings in time",
    },
    Template {
        name: "rust-sel4",
        example: "rust-sel4",
        about: "a client and a server with the names of rust-sel4",
        prints: "client: hello is HELLO",
    },
];

/// The name of the template that `new` uses without `--template`.
pub(crate) const DEFAULT: &str = "ping-pong";

const PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/templates.tar.gz"));

/// The folder with the files of every template.
const COMMON: &str = "common";

/// A placeholder for the package's name, in file names and in the files that are not links.
const NAME: &str = "NAME";

/// A file of a package, by its path in the package.
pub(crate) type NewFile = (PathBuf, String);

impl Template {
    /// Returns the template with this name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|template| template.name == name)
    }

    /// Makes the files of a package.
    pub(crate) fn files(&self, name: &PackageName, runtime: &Runtime) -> Result<Vec<NewFile>> {
        let packed = unpack()?;
        let is_common = |path: &Path| path.starts_with(COMMON);
        let end = text_of(&packed, &Path::new(COMMON).join(README_END));
        let mut made = Vec::new();
        for (path, text) in &packed {
            let is_wanted = is_common(path) || path.starts_with(self.name);
            let path_in_package: PathBuf = path.iter().skip(1).collect();
            if !is_wanted || path_in_package == Path::new(README_END) {
                continue;
            }
            let text = match path_in_package.to_str() {
                Some("Cargo.toml") => manifest(&text.replace(NAME, name.as_str()), runtime),
                Some("readme.txt") => self.readme(text, name) + &end.replace(NAME, name.as_str()),
                _ if is_common(path) => text
                    .replace(NAME, name.as_str())
                    .replace(INSTALL, &runtime.installation()),
                _ => self.rename(text, name),
            };
            made.push((file_name(&path_in_package, name), text));
        }
        Ok(made)
    }

    /// Returns whether the package would have a dependency with its own name.
    pub(crate) fn depends_on(&self, name: &PackageName) -> Result<bool> {
        let manifest = text_of(&unpack()?, &Path::new(self.name).join("Cargo.toml"));
        let manifest: toml::Table = toml::from_str(&manifest).unwrap_or_default();
        let tables = ["dependencies", "dev-dependencies"].map(|table| manifest.get(table));
        let mut tables = tables.into_iter().flatten();
        Ok(tables.any(|table| table.get(name.as_str()).is_some()))
    }

    /// Replaces the example's names and paths in one of its files.
    fn rename(&self, text: &str, name: &PackageName) -> String {
        let example = self.example;
        let text = text.replace("../../../microkit-systems/", "../");
        let text = text.replace("../../microkit-systems/", "");
        let text = text.replace(&format!("{example}.system"), &format!("{name}.system"));
        text.replace(&format!("{example}.expected"), &format!("{name}.expected"))
    }

    /// Makes the README of a package from the README of the example. Removes the picture, because
    /// it would become wrong with the first change of the system.
    fn readme(&self, text: &str, name: &PackageName) -> String {
        let example = self.example;
        let text = self.rename(text, name);
        let text = text.replacen(&format!("# {example}\n"), &format!("# {name}\n"), 1);
        let run = "cargo microkit run";
        let text = text.replace(&format!("{run} {example}`"), &format!("{run} {name}`"));
        let lines = text.split_inclusive('\n');
        let mut lines = lines.skip_while(|line| !line.starts_with("!["));
        let (picture, blank) = (lines.next(), lines.next());
        match (picture, blank) {
            (Some(picture), Some("\n")) => text.replace(&format!("{picture}\n"), ""),
            _ => text,
        }
    }
}

/// The end of every README.
const README_END: &str = "readme-end.txt";

/// A placeholder for the command that installs this program. It cannot be a package's name, because
/// of the braces.
const INSTALL: &str = "{install}";

/// Replaces the paths in a manifest by dependencies on the runtime's source. The paths in a
/// template are relative to the root of this project.
fn manifest(text: &str, runtime: &Runtime) -> String {
    let mut made = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("path = \"crates/") {
        let (path, after) = after.split_once('"').unwrap_or((after, ""));
        made += before;
        made += &runtime.dependency(&format!("crates/{path}"));
        rest = after;
    }
    made + rest
}

/// Returns the path of a file in the package.
fn file_name(path: &Path, name: &PackageName) -> PathBuf {
    match path.to_str() {
        Some("readme.txt") => "README.md".into(),
        Some(path) => path.replace(NAME, name.as_str()).into(),
        None => path.to_path_buf(),
    }
}

fn text_of(files: &[NewFile], path: &Path) -> String {
    let file = files.iter().find(|(other, _)| other == path);
    file.map(|(_, text)| text.clone()).unwrap_or_default()
}

/// Returns every packed file, by its path below `templates`.
fn unpack() -> Result<Vec<NewFile>> {
    let read = || -> std::io::Result<Vec<NewFile>> {
        let mut archive = tar::Archive::new(GzDecoder::new(PACKED));
        let entries = archive.entries()?;
        entries
            .map(|entry| {
                let mut entry = entry?;
                let mut text = String::new();
                entry.read_to_string(&mut text)?;
                Ok((entry.path()?.into_owned(), text))
            })
            .collect()
    };
    read().map_err(|e| files::cannot("read the templates in", &program(), &e))
}

/// Returns the path of this program, for an error message.
fn program() -> PathBuf {
    std::env::current_exe().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(template: &Template, name: &str) -> Vec<NewFile> {
        let name = PackageName::new(name).expect("a valid name");
        let runtime = Runtime::Folder("/clone".into());
        template.files(&name, &runtime).expect("the archive")
    }

    #[test]
    fn every_template_has_all_kinds_of_files() {
        for template in &ALL {
            let files = made(template, "greeter");
            let has = |path: &str| files.iter().any(|(file, _)| file == Path::new(path));
            for path in [
                ".github/workflows/test.yml",
                ".gitignore",
                ".vscode/settings.json",
                "Cargo.toml",
                "README.md",
                "greeter.expected",
                "greeter.system",
            ] {
                assert!(has(path), "{}: {path}", template.name);
            }
            for folder in ["src/bin", "tests"] {
                let is_there = files.iter().any(|(file, _)| file.starts_with(folder));
                assert!(is_there, "{}: {folder}", template.name);
            }
            let expected = files
                .iter()
                .find(|(path, _)| path.ends_with("greeter.expected"));
            let (_, expected) = expected.expect("checked above");
            let is_printed = expected.lines().any(|line| line == template.prints);
            assert!(is_printed, "{}: {}", template.name, template.prints);
        }
        assert!(Template::named(DEFAULT).is_some());
    }

    #[test]
    fn no_name_of_the_example_and_no_placeholder_is_left() {
        for template in &ALL {
            for (path, text) in made(template, "greeter") {
                let example = template.example;
                for wrong in [
                    format!("{example}.system"),
                    format!("{example}.expected"),
                    format!("run {example}`"),
                    "microkit-systems".into(),
                    "system.svg".into(),
                    INSTALL.into(),
                    "\"crates/".into(),
                    "workspace = true".into(),
                ] {
                    let path = path.display();
                    assert!(!text.contains(&wrong), "{}: {path}: {wrong}", template.name);
                }
            }
        }
    }
}
