//! Helpers of the tests: the corpus, its parsing options, and the rendering of reports.
#![allow(dead_code, reason = "each test uses a part of it")]

pub(crate) mod elf;
pub(crate) mod mutant;
pub(crate) mod soup;
pub(crate) mod spec;
pub(crate) mod tool;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::{env, fs};

use microkit_sdf::{KernelConfig, Options, Report, SearchPaths};
use miette::{GraphicalReportHandler, GraphicalTheme};

/// Returns the path of a folder in this crate's tests.
pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(name)
}

/// Returns the search path for the files that the corpus uses.
pub(crate) fn files() -> SearchPaths {
    SearchPaths(vec![folder("files")])
}

/// Returns the system files in a folder, sorted by name.
pub(crate) fn systems(name: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder(name))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "system")
        })
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "no system files in {name}");
    paths
}

/// Returns the kernel for a system file. The default is the kernel of `qemu_virt_aarch64`. In the
/// first line, a comment such as `<!-- kernel: cores=4 smc=false -->` changes values of the kernel.
pub(crate) fn kernel(text: &str) -> KernelConfig {
    let mut kernel = KernelConfig::QEMU_VIRT_AARCH64;
    let first_line = text.lines().next().unwrap_or_default();
    let settings = first_line
        .strip_prefix("<!-- kernel: ")
        .and_then(|s| s.strip_suffix(" -->"));
    for setting in settings.into_iter().flat_map(str::split_whitespace) {
        match setting.split_once('=').unwrap() {
            ("cores", n) => kernel.cores = n.parse().unwrap(),
            ("hypervisor", b) => kernel.hypervisor = b.parse().unwrap(),
            ("smc", b) => kernel.smc = b.parse().unwrap(),
            _ => panic!("no such kernel setting: {setting}"),
        }
    }
    kernel
}

/// Returns whether a system file is for the kernel of the SDK.
pub(crate) fn is_for_sdk(text: &str) -> bool {
    kernel(text) == KernelConfig::QEMU_VIRT_AARCH64
}

/// Returns the options to parse `text` with.
pub(crate) fn options<'a>(text: &str, files: &'a SearchPaths) -> Options<'a> {
    Options {
        kernel: kernel(text),
        files,
    }
}

/// Renders a report like the command line does, in ASCII without colours.
pub(crate) fn draw<K: microkit_sdf::DiagnosticKind>(report: &Report<K>) -> String {
    let mut drawn = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::none())
        .with_width(100)
        .render_report(&mut drawn, report)
        .unwrap();
    // Removes trailing spaces, so that test files have no trailing spaces.
    drawn
        .lines()
        .map(str::trim_end)
        .collect::<Vec<_>>()
        .join("\n")
        + "\n"
}

/// Compares `actual` with the file `expect`. If `BLESS` is set, writes the file instead.
pub(crate) fn check_file(actual: &str, expect: &Path) {
    if env::var_os("BLESS").is_some() {
        fs::write(expect, actual).unwrap();
    }
    let expected = fs::read_to_string(expect).unwrap_or_default();
    assert!(
        actual == expected,
        "{} differs; `BLESS=1 cargo test -p microkit-sdf` accepts this:\n{actual}",
        expect.display()
    );
}

/// Prints a line that is visible even if the test passes. (The test harness captures `eprintln!`.)
pub(crate) fn say(line: &str) {
    io::stderr()
        .write_all(format!("{line}\n").as_bytes())
        .unwrap();
}
