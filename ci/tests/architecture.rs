//! Holds the map in `docs/architecture.md` against the code: the crates and what they depend on,
//! the paths that it names, and where `unsafe` may be.

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

/// The programs that may have unsafe code: their calls could break memory, but only that of
/// children made for this, or none.
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

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo knows the workspace")
}

fn map() -> String {
    fs::read_to_string(root().join("docs/architecture.md")).expect("the map is there")
}

fn is_example(package: &Package) -> bool {
    package
        .manifest_path
        .strip_prefix(root().to_str().expect("a path in UTF-8"))
        .is_ok_and(|path| path.starts_with("examples"))
}

/// The rows of the table: a crate's name, its place, and what it may depend on.
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

/// What stands between backticks, outside of blocks of code.
fn code_spans(text: &str) -> impl Iterator<Item = &str> {
    let outside = text.split("```").step_by(2);
    outside.flat_map(|part| part.split('`').skip(1).step_by(2))
}

#[test]
fn every_crate_is_on_the_map_at_its_place() {
    let rows = rows(&map());
    let metadata = metadata();
    let on_map: BTreeSet<&str> = rows.keys().map(String::as_str).collect();
    let in_code: BTreeSet<&str> = metadata
        .packages
        .iter()
        .filter(|package| !is_example(package))
        .map(|package| package.name.as_str())
        .collect();
    assert_eq!(on_map, in_code);
    for package in metadata
        .packages
        .iter()
        .filter(|package| !is_example(package))
    {
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
    let ours: BTreeSet<&str> = metadata.packages.iter().map(|p| p.name.as_str()).collect();
    for package in metadata
        .packages
        .iter()
        .filter(|package| !is_example(package))
    {
        let edges = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind != DependencyKind::Development)
            .filter(|dependency| {
                dependency.path.is_some() && ours.contains(dependency.name.as_str())
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
    for file in [
        "docs/architecture.md",
        "docs/soundness/README.md",
        "docs/soundness/capabilities.md",
        "docs/soundness/ipc-buffer.md",
        "docs/soundness/sel4.md",
        "docs/soundness/sel4-microkit.md",
        "docs/soundness/microkit-async.md",
        "docs/soundness/microkit-virtio.md",
        "docs/soundness/sel4-sys.md",
        "README.md",
    ] {
        let text = fs::read_to_string(root().join(file)).expect("the file is there");
        let paths = code_spans(&text).filter(|span| {
            ["crates/", "docs/", "examples/", "microkit-systems/", "ci/"]
                .iter()
                .any(|folder| span.starts_with(folder))
                && !span.contains(char::is_whitespace)
        });
        for path in paths {
            assert!(
                root().join(path).exists(),
                "{file} names {path}, which is not there"
            );
        }
    }
}

#[test]
fn unsafe_code_is_forbidden_where_the_map_says_so() {
    for package in metadata().packages {
        let name = package.name.as_str();
        if UNSAFE.contains(&name) || UNSAFE_PROGRAMS.contains(&name) {
            continue;
        }
        for target in &package.targets {
            let is_root = target.is_lib() || target.is_bin() || target.is_proc_macro();
            if is_root {
                let source = fs::read_to_string(&target.src_path).expect("the source is there");
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

/// The checks must be able to fail.
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
