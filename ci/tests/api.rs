//! Checks `docs/api.md` against the code and the SDK. Every Rust path on the page must be in
//! rustdoc's output, and every named test and system must exist. The page must name every function
//! of the SDK's `microkit.h`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use ci::root;

const PAGE: &str = "docs/api.md";

fn page() -> String {
    fs::read_to_string(root().join(PAGE)).expect("the page exists")
}

/// Returns the rows of the page's tables: the Microkit item, our item, and the test or system that
/// runs our item.
fn rows(page: &str) -> Vec<[&str; 3]> {
    page.lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .filter(|line| !line.starts_with("---") && !line.ends_with("run by"))
        .map(|line| {
            let cells: Vec<&str> = line.split(" | ").map(str::trim).collect();
            cells
                .try_into()
                .unwrap_or_else(|_| panic!("{PAGE}: not three cells: {line}"))
        })
        .collect()
}

/// Returns the texts between backticks, each with the preceding word.
fn spans(text: &str) -> Vec<(&str, &str)> {
    let parts: Vec<&str> = text.split('`').collect();
    parts
        .chunks_exact(2)
        .map(|pair| (pair[0].split_whitespace().last().unwrap_or(""), pair[1]))
        .collect()
}

#[test]
fn no_cell_is_empty() {
    let page = page();
    let rows = rows(&page);
    assert!(rows.len() > 80, "only {} rows were read", rows.len());
    for row in rows {
        assert!(row.iter().all(|cell| !cell.is_empty()), "{row:?}");
    }
}

#[test]
fn every_path_is_documented() {
    let output = Command::new(env::var_os("CARGO").expect("cargo runs this"))
        .args(["doc", "--quiet", "--no-deps", "--all-features"])
        .args(["--package", "sel4", "--package", "sel4-microkit"])
        .current_dir(root())
        .status()
        .expect("cargo can be run");
    assert!(output.success());
    let metadata = cargo_metadata::MetadataCommand::new()
        .current_dir(root())
        .no_deps()
        .exec()
        .expect("cargo knows the workspace");
    let docs = metadata.target_directory.join("doc");
    let page = page();
    let paths: BTreeSet<&str> = spans(&page)
        .into_iter()
        .map(|(_, span)| span)
        .filter(|span| span.starts_with("sel4::") || span.starts_with("sel4_microkit::"))
        .collect();
    assert!(paths.len() > 100, "only {} paths were read", paths.len());
    let missing: Vec<&str> = paths
        .into_iter()
        .filter(|path| !is_documented(docs.as_std_path(), path))
        .collect();
    assert!(
        missing.is_empty(),
        "{PAGE} names items that do not exist: {missing:#?}"
    );
}

/// Returns whether rustdoc has a page for the item, or the page of the parent contains the item.
fn is_documented(docs: &Path, path: &str) -> bool {
    let (parent, name) = path.rsplit_once("::").expect("a path has two parts");
    let folder = docs.join(parent.replace("::", "/"));
    let read = |file: PathBuf| fs::read_to_string(file).unwrap_or_default();
    let kinds = [
        "struct", "enum", "trait", "fn", "macro", "attr", "type", "constant",
    ];
    let has_a_page = kinds
        .iter()
        .any(|kind| folder.join(format!("{kind}.{name}.html")).is_file())
        || folder.join(name).join("index.html").is_file();
    let is_exported_again =
        || read(folder.join("index.html")).contains(&format!("id=\"reexport.{name}\""));
    let is_of_an_item = || {
        let (module, item) = parent.rsplit_once("::").unwrap_or(("", parent));
        let module = docs.join(module.replace("::", "/"));
        ["struct", "enum", "trait"].iter().any(|kind| {
            let page = read(module.join(format!("{kind}.{item}.html")));
            ["method", "tymethod", "variant", "associatedconstant"]
                .iter()
                .any(|part| page.contains(&format!("id=\"{part}.{name}\"")))
        })
    };
    has_a_page || is_exported_again() || is_of_an_item()
}

#[test]
fn every_test_and_system_exists() {
    let mut tests = BTreeSet::new();
    let folders = ["crates", "examples", "ci/programs"].map(|folder| root().join(folder));
    for source in folders.iter().flat_map(|folder| sources(folder)) {
        let text = fs::read_to_string(source).expect("the file is readable");
        let mut lines = text.lines().map(str::trim);
        while lines.by_ref().any(|line| line == "#[test]") {
            let function = lines.by_ref().find(|line| line.starts_with("fn "));
            let name = function.and_then(|line| line["fn ".len()..].split('(').next());
            tests.insert(name.expect("a test is a function").to_owned());
        }
    }
    let page = page();
    let mut named = 0;
    for [.., run_by] in rows(&page) {
        for (kind, name) in spans(run_by) {
            match kind {
                "system" => {
                    let file = |suffix: &str| {
                        let folders = ["", "conformance/", "torture/"].iter();
                        folders
                            .map(|folder| format!("microkit-systems/{folder}{name}.{suffix}"))
                            .any(|file| root().join(file).is_file())
                    };
                    let exists = file("system") && file("expected");
                    assert!(
                        exists,
                        "{PAGE} names the system {name}, which does not exist"
                    );
                }
                "test" => assert!(
                    tests.contains(name),
                    "{PAGE} names the test {name}, which does not exist"
                ),
                _ => continue,
            }
            named += 1;
        }
    }
    assert!(named > 80, "only {named} were read");
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder exists") {
        let path = entry.expect("the file is readable").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn the_page_names_every_function_of_the_sdks_header() {
    let Some(sdk) = env::var_os("MICROKIT_SDK").filter(|value| !value.is_empty()) else {
        eprintln!("SKIPPED: MICROKIT_SDK is not set, so {PAGE} was not compared with an SDK");
        return;
    };
    let header = Path::new(&sdk).join("board/qemu_virt_aarch64/debug/include/microkit.h");
    let header = fs::read_to_string(header).expect("an SDK has its header");
    let functions = functions(&header);
    assert!(functions.len() > 40, "only {functions:?} were read");
    let page = page();
    let named: BTreeSet<&str> = spans(&page).into_iter().map(|(_, span)| span).collect();
    let missing: Vec<_> = functions.difference(&named).collect();
    assert!(missing.is_empty(), "{PAGE} lacks {missing:?}");
}

/// Returns the functions that the header declares: names before a parenthesis on lines without
/// indentation.
fn functions(header: &str) -> BTreeSet<&str> {
    header
        .lines()
        .filter(|line| line.starts_with(|first: char| first.is_ascii_alphabetic()))
        .filter_map(|line| line.split_once('('))
        .filter_map(|(declaration, _)| declaration.split_whitespace().last())
        .collect()
}
