//! Helpers of the tests: files in memory, systems, and the rendering of reports.
#![allow(dead_code, reason = "each test uses a part of it")]

pub(crate) mod changes;
pub(crate) mod corpus;
pub(crate) mod elf;
pub(crate) mod memory;
pub(crate) mod programs;
pub(crate) mod random;
pub(crate) mod tool;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use microkit_image::{Plan, PlanErrors, Platform, plan};
use microkit_sdf::{Options, System, parse};
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};

/// Returns the path of a folder in this crate's tests.
pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(name)
}

/// Files in memory.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files(pub(crate) BTreeMap<PathBuf, Vec<u8>>);

impl Files {
    /// Adds or replaces a file.
    pub(crate) fn with(mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.0.insert(path.into(), bytes.into());
        self
    }

    fn get(&self, path: &Path) -> io::Result<&Vec<u8>> {
        self.0
            .get(path)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl microkit_sdf::Files for Files {
    fn len(&self, path: &Path) -> io::Result<u64> {
        self.get(path).map(|bytes| bytes.len() as u64)
    }
}

impl microkit_image::Files for Files {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.get(path).cloned()
    }
}

/// Returns the text of a system with these elements.
pub(crate) fn system(elements: &str) -> String {
    format!("<system>\n{elements}\n</system>\n")
}

/// Parses and checks this text. The test fails if the text has errors.
#[track_caller]
pub(crate) fn parsed(text: &str, files: &Files) -> System {
    match parse("test.system", text, Options::new(files)) {
        Ok(system) => system,
        Err(errors) => panic!("{text}\n{}", draw(&errors)),
    }
}

/// Plans the system of this text for the board.
pub(crate) fn planned(text: &str, files: &Files) -> Result<Plan, PlanErrors> {
    plan(&parsed(text, files), &Platform::QEMU_VIRT_AARCH64, files)
}

/// Plans the system of this text. The test fails if there is an error.
#[track_caller]
pub(crate) fn good(text: &str, files: &Files) -> Plan {
    planned(text, files).unwrap_or_else(|errors| panic!("{text}\n{}", draw(&errors)))
}

/// Renders an error like the command line does, in ASCII without colours.
pub(crate) fn draw(error: &dyn Diagnostic) -> String {
    let mut drawn = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::none())
        .with_width(100)
        .render_report(&mut drawn, error)
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
        "{} differs; `BLESS=1 cargo test -p microkit-image` accepts this:\n{actual}",
        expect.display()
    );
}
