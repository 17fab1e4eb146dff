//! Each bad system gets the report beside it, there is one for every kind of finding, and each good
//! system gets none.
//!
//! What the programs of a system declare stands in it as comments: `<!-- waits PD`, then the lines of
//! the declaration, then `-->`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

use microkit_check::{Declaration, Report, check};
use microkit_sdf::{NoFiles, Options, System, parse};
use miette::{GraphicalReportHandler, GraphicalTheme};

fn systems(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "system"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "no system files in {}", folder.display());
    paths
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(name)
}

fn system(path: &Path) -> (System, Vec<Option<Declaration>>) {
    let text = fs::read_to_string(path).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    let system = parse(name, &text, Options::new(&NoFiles)).unwrap_or_else(|e| panic!("{e:?}"));
    let mut declarations = vec![None; system.protection_domains.len()];
    for comment in text.split("<!-- waits ").skip(1) {
        let (name, rest) = comment.split_once('\n').unwrap();
        let (lines, _) = rest.split_once("-->").unwrap();
        let pd = system.protection_domain(name).unwrap();
        declarations[pd] = Some(Declaration::parse(lines).unwrap());
    }
    (system, declarations)
}

fn report(path: &Path) -> Report {
    let (system, declarations) = system(path);
    check(&system, &declarations)
}

fn drawn(report: &Report) -> String {
    let mut drawn = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::none())
        .with_width(100)
        .render_report(&mut drawn, report)
        .unwrap();
    // Whatever the theme, no line of a test file ends in space.
    let lines: Vec<_> = drawn.lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}

#[test]
fn each_bad_system_gets_its_report() {
    for path in systems(&folder("bad")) {
        let report = report(&path);
        assert!(!report.findings().is_empty(), "{}", path.display());
        let expect = path.with_extension("report");
        let actual = drawn(&report);
        if env::var_os("BLESS").is_some() {
            fs::write(&expect, &actual).unwrap();
        }
        let expected = fs::read_to_string(&expect).unwrap_or_default();
        assert!(
            actual == expected,
            "{} differs; `BLESS=1 cargo test -p microkit-check` accepts this:\n{actual}",
            expect.display()
        );
    }
}

#[test]
fn nothing_is_found_in_a_good_system() {
    for path in systems(&folder("good")) {
        let report = report(&path);
        assert!(report.findings().is_empty(), "{}", drawn(&report));
    }
}

#[test]
fn every_kind_of_finding_has_a_bad_system() {
    // The variants of the enum as the source lists them, since it may grow.
    let source = include_str!("../src/finding.rs");
    let (_, body) = source.split_once("pub enum FindingKind {").unwrap();
    let (body, _) = body.split_once("\n}").unwrap();
    let listed: BTreeSet<String> = body
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))
        .map(variant)
        .collect();
    assert!(listed.len() > 10, "read only {listed:?} of the source");

    let paths = systems(&folder("bad"));
    let reports = paths.iter().map(|path| report(path));
    let seen: BTreeSet<String> = reports
        .flat_map(|report| {
            let kinds = report.findings().iter().map(|f| format!("{:?}", f.kind));
            kinds.map(|kind| variant(&kind)).collect::<Vec<_>>()
        })
        .collect();
    let missing: Vec<_> = listed.difference(&seen).collect();
    assert!(missing.is_empty(), "no bad system for {missing:?}");
}

/// From their files alone, as of programs that declare nothing.
#[test]
fn every_system_of_the_project_is_clean() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../microkit-systems");
    for path in systems(&folder) {
        let report = report(&path);
        assert!(report.findings().is_empty(), "{}", drawn(&report));
    }
}

/// The name at the start of a variant's definition or debug output.
fn variant(text: &str) -> String {
    text.chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect()
}
