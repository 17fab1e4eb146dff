//! What the tests share: the corpus, how its files are parsed, and how reports are drawn.
#![allow(dead_code, reason = "each test uses a part of it")]

pub(crate) mod elf;
pub(crate) mod mutant;
pub(crate) mod soup;
pub(crate) mod spec;
pub(crate) mod tool;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::{env, fs};

use microkit_sdf::{Kernel, Options, Report, SearchPaths};
use miette::{GraphicalReportHandler, GraphicalTheme};

/// A folder of this crate's tests.
pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(name)
}

/// Where the files that the corpus names are.
pub(crate) fn files() -> SearchPaths {
    SearchPaths(vec![folder("files")])
}

/// The system files in a folder, sorted by name.
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

/// The kernel that a file is for: `qemu_virt_aarch64`'s, unless a comment in its first line says
/// otherwise, such as `<!-- kernel: cores=4 smc=false -->`.
pub(crate) fn kernel(text: &str) -> Kernel {
    let mut kernel = Kernel::QEMU_VIRT_AARCH64;
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

/// Whether a file is for the kernel that the SDK has.
pub(crate) fn is_for_sdk(text: &str) -> bool {
    kernel(text) == Kernel::QEMU_VIRT_AARCH64
}

/// The options to parse `text` with.
pub(crate) fn options<'a>(text: &str, files: &'a SearchPaths) -> Options<'a> {
    Options {
        kernel: kernel(text),
        files,
    }
}

/// A report as the command line shows it, in ASCII without colours.
pub(crate) fn draw<K: microkit_sdf::DiagnosticKind>(report: &Report<K>) -> String {
    let mut drawn = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::none())
        .with_width(100)
        .render_report(&mut drawn, report)
        .unwrap();
    // Whatever the theme, no line of a test file ends in space.
    drawn
        .lines()
        .map(str::trim_end)
        .collect::<Vec<_>>()
        .join("\n")
        + "\n"
}

/// Compares `actual` with the file `expect`, or writes it there if `BLESS` is set.
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

/// Says something that is seen although the test passes: `eprintln!` is captured.
pub(crate) fn say(line: &str) {
    io::stderr()
        .write_all(format!("{line}\n").as_bytes())
        .unwrap();
}
