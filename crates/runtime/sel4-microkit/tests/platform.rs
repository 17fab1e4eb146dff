//! Tests the layers of the crate. Only `platform` and a few macros depend on the target, and no
//! module names the test harness.

use std::fs;
use std::path::{Path, PathBuf};

/// The files outside `platform` with a `cfg` for the target: the list of modules, and the macros
/// that declare symbols, sections or the entry point.
const WITH_MACROS: [&str; 6] = [
    "entry.rs",
    "lib.rs",
    "region_record.rs",
    "restart_reply.rs",
    "symbols.rs",
    "waits.rs",
];

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("the sources are there") {
        let path = entry.expect("the sources are there").path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn only_the_platform_and_macros_tell_the_target_from_a_host() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut with_cfg: Vec<String> = files
        .iter()
        .filter(|path| !path.starts_with(root.join("platform")))
        .filter(|path| fs::read_to_string(path).unwrap().contains("target_os"))
        .map(|path| path.strip_prefix(&root).unwrap().display().to_string())
        .collect();
    with_cfg.sort();
    assert_eq!(with_cfg, WITH_MACROS);
}

#[test]
fn no_module_names_the_harness() {
    let mut files = Vec::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut files,
    );
    assert!(files.len() > 30, "{files:?}");
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        for name in ["microkit-test", "microkit_test", "harness", "`Run::"] {
            assert!(!text.contains(name), "{} names {name}", path.display());
        }
    }
}
