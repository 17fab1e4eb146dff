//! Checks the layout: the dependencies between folders, the map in `docs/architecture.md`, the
//! paths in documents, and the crates and programs that may contain `unsafe`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use ci::root;

/// Crates that may contain `unsafe`.
const UNSAFE: [&str; 6] = [
    "sel4-sys",
    "sel4",
    "sel4-microkit",
    "microkit-async",
    "microkit-virtio",
    "kernel-aarch64",
];

/// The programs that may contain `unsafe`. Their invocations can corrupt only the memory of
/// children that exist for this purpose.
const UNSAFE_PROGRAMS: [&str; 18] = [
    "bench-parent",
    "conformance",
    "conformance-faults",
    "conformance-invocations",
    "conformance-ipc",
    "conformance-irq",
    "conformance-passive",
    "conformance-scheduling",
    "faults",
    "faults-watchdog",
    "hostile",
    "ping-seed",
    "smc",
    "thread-local",
    "unruly",
    "unruly-parent",
    "user-caps",
    "utilisation",
];

/// The permitted dependencies of a folder or a crate, besides the crates of the same folder.
const ALLOWED: [(&str, &[&str]); 9] = [
    ("microkit-abi", &[]),
    ("runtime", &["microkit-abi"]),
    ("lib", &["runtime", "microkit-abi"]),
    ("microkit-system-macros", &["microkit-sdf"]),
    ("drivers", &["lib", "runtime", "microkit-abi"]),
    ("tool", &["microkit-abi", "boot-spec"]),
    ("kernel", &["microkit-abi"]),
    (
        "test",
        &[
            "runtime",
            "microkit-abi",
            "boot-spec",
            "microkit-sdf",
            "microkit-image",
            "kernel-model",
        ],
    ),
    // The examples and the tests of the whole project are users. They may depend on anything except
    // an example.
    (
        "user",
        &[
            "microkit-abi",
            "runtime",
            "lib",
            "drivers",
            "tool",
            "kernel",
            "test",
            "ci",
        ],
    ),
];

/// The additional dependencies that the tests of a folder may have.
const ALLOWED_IN_TESTS: [(&str, &[&str]); 3] = [
    ("runtime", &["test"]),
    ("lib", &["test"]),
    ("drivers", &["test"]),
];

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo knows the workspace")
}

fn map() -> String {
    fs::read_to_string(root().join("docs/architecture.md")).expect("the map exists")
}

/// Returns the folder of a package, as named in the rules.
fn folder(package: &Package) -> String {
    let path = package
        .manifest_path
        .strip_prefix(root().to_str().expect("a path in UTF-8"));
    let path = path.expect("the package is in the workspace");
    let parts: Vec<&str> = path.iter().collect();
    match parts[..] {
        ["crates", "microkit-abi", ..] => "microkit-abi",
        ["crates", folder, ..] => folder,
        [folder, ..] => folder,
        [] => unreachable!("a manifest has a path"),
    }
    .to_owned()
}

/// Returns whether the map must contain the package. The map contains the crates, and the tests of
/// the whole project.
fn is_on_the_map(package: &Package) -> bool {
    let is_program = package.manifest_path.as_str().contains("/programs/");
    folder(package) != "examples" && !is_program
}

/// Returns the error if an edge breaks the rules. Each end of the edge is the name of a crate and
/// the name of the crate's folder.
fn broken(from: (&str, &str), to: (&str, &str), is_in_tests: bool) -> Option<String> {
    let is_user = ["examples", "ci"].contains(&from.1);
    let is_allowed = |rules: &[(&str, &[&str])]| {
        rules.iter().any(|(who, whom)| {
            let is_meant = from.0 == *who || from.1 == *who || is_user && *who == "user";
            is_meant && (whom.contains(&to.0) || whom.contains(&to.1))
        })
    };
    let is_right = to.1 != "examples"
        && (from.1 == to.1 || is_allowed(&ALLOWED) || is_in_tests && is_allowed(&ALLOWED_IN_TESTS));
    let kind = if is_in_tests { "in its tests " } else { "" };
    (!is_right).then(|| {
        format!(
            "{} ({}) depends {kind}on {} ({})",
            from.0, from.1, to.0, to.1
        )
    })
}

#[test]
fn no_folder_depends_on_another_that_the_rules_do_not_allow() {
    let metadata = metadata();
    let packages: BTreeMap<&str, &Package> = metadata
        .packages
        .iter()
        .map(|package| (package.name.as_str(), package))
        .collect();
    let mut wrong = Vec::new();
    for (name, package) in &packages {
        let ours = package
            .dependencies
            .iter()
            .filter(|edge| edge.path.is_some());
        for edge in ours {
            let to = packages[edge.name.as_str()];
            let is_in_tests = edge.kind == DependencyKind::Development;
            let from = (*name, &*folder(package));
            wrong.extend(broken(from, (&edge.name, &folder(to)), is_in_tests));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Asserts that no crate includes a source file of an example by its path.
#[test]
fn no_crate_has_a_source_of_an_example() {
    for package in metadata()
        .packages
        .iter()
        .filter(|package| folder(package) != "examples")
    {
        for source in sources(
            package
                .manifest_path
                .parent()
                .expect("a folder")
                .as_std_path(),
        ) {
            let text = fs::read_to_string(&source).expect("the file is readable");
            let by_path = text.lines().find(|line| {
                line.trim_start().starts_with("#[path") && line.contains("/examples/")
            });
            assert_eq!(by_path, None, "{}", source.display());
        }
    }
}

fn sources(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder exists");
    let paths = entries.map(|entry| entry.expect("the file is readable").path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => sources(&path),
            false => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// Returns the rows of the table: a crate's name, its path, and its permitted dependencies.
fn rows(map: &str) -> BTreeMap<String, (String, BTreeSet<String>)> {
    map.lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let name = |cell: &str| cell.trim_matches('`').to_string();
            let edges = code_spans(cells[4]).map(str::to_string).collect();
            (name(cells[1]), (name(cells[2]), edges))
        })
        .collect()
}

/// Returns the texts between backticks, outside code blocks.
fn code_spans(text: &str) -> impl Iterator<Item = &str> {
    let outside = text.split("```").step_by(2);
    outside.flat_map(|part| part.split('`').skip(1).step_by(2))
}

#[test]
fn every_crate_is_on_the_map_with_its_path() {
    let rows = rows(&map());
    let metadata = metadata();
    let on_map: BTreeSet<&str> = rows.keys().map(String::as_str).collect();
    let crates = || {
        metadata
            .packages
            .iter()
            .filter(|package| is_on_the_map(package))
    };
    let in_code: BTreeSet<&str> = crates().map(|package| package.name.as_str()).collect();
    assert_eq!(on_map, in_code);
    for package in crates() {
        let place = root()
            .join(&rows[package.name.as_str()].0)
            .join("Cargo.toml");
        assert_eq!(
            package.manifest_path,
            place.to_str().expect("a path in UTF-8")
        );
    }
}

#[test]
fn no_crate_depends_on_what_the_map_does_not_allow() {
    let rows = rows(&map());
    let metadata = metadata();
    for package in metadata
        .packages
        .iter()
        .filter(|package| is_on_the_map(package))
    {
        let edges = package.dependencies.iter().filter(|dependency| {
            dependency.kind != DependencyKind::Development && dependency.path.is_some()
        });
        for edge in edges {
            let allowed = &rows[package.name.as_str()].1;
            let (from, to) = (&package.name, &edge.name);
            assert!(
                allowed.contains(to),
                "{from} depends on {to}, which the map does not allow"
            );
        }
    }
}

#[test]
fn every_path_on_the_map_and_in_the_soundness_chapter_exists() {
    let soundness = fs::read_dir(root().join("docs/soundness")).expect("the chapter exists");
    let soundness = soundness.map(|entry| entry.expect("the file is readable").path());
    let others = ["docs/architecture.md", "README.md"].map(|file| root().join(file));
    for file in soundness.chain(others) {
        let text = fs::read_to_string(&file).expect("the file exists");
        let paths = code_spans(&text).filter(|span| {
            ["crates/", "docs/", "examples/", "microkit-systems/", "ci/"]
                .iter()
                .any(|folder| span.starts_with(folder))
                && !span.contains(char::is_whitespace)
        });
        for path in paths {
            assert!(
                root().join(path).exists(),
                "{} names {path}, which does not exist",
                file.display()
            );
        }
    }
}

#[test]
fn unsafe_code_is_forbidden_where_the_map_says_so() {
    for package in metadata().packages {
        if UNSAFE.contains(&package.name.as_str()) {
            continue;
        }
        for target in &package.targets {
            let is_root = target.is_lib() || target.is_bin() || target.is_proc_macro();
            if is_root && !UNSAFE_PROGRAMS.contains(&target.name.as_str()) {
                let source = fs::read_to_string(&target.src_path).expect("the source exists");
                let name = &package.name;
                assert!(
                    source.contains("#![forbid(unsafe_code)]"),
                    "{name}: {}",
                    target.src_path
                );
            }
        }
    }
}

/// Asserts that `rows` reads a table, and that `code_spans` skips code blocks.
#[test]
fn a_table_is_read_as_it_is_written() {
    let rows = rows("| crate | place |\n| `a` | `crates/a` | text | `b`, `c` |\n");
    let (place, edges) = &rows["a"];
    assert_eq!(place, "crates/a");
    assert_eq!(
        edges.iter().map(String::as_str).collect::<Vec<_>>(),
        ["b", "c"]
    );
    let spans: Vec<&str> = code_spans("`x` and\n```\n`not this`\n```\n`y`").collect();
    assert_eq!(spans, ["x", "y"]);
}

/// Asserts that `broken` reports edges that break the rules.
#[test]
fn an_edge_that_breaks_a_rule_is_named() {
    let [sync, test] = [("microkit-sync", "lib"), ("microkit-test", "test")];
    assert_eq!(broken(sync, test, true), None);
    assert_eq!(
        broken(sync, test, false).as_deref(),
        Some("microkit-sync (lib) depends on microkit-test (test)")
    );
    assert!(broken(sync, ("hello", "examples"), true).is_some());
    assert!(broken(("ci", "ci"), ("hello", "examples"), true).is_some());
    assert!(broken(("hello", "examples"), ("heap", "examples"), false).is_some());
    assert_eq!(
        broken(("hello", "examples"), ("kernel-model", "kernel"), false),
        None
    );
}
