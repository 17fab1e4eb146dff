//! Asserts that each bad system and each bad program has the expected report. Every variant of the
//! errors has at least one case.

mod common;

use std::collections::BTreeSet;

use common::corpus::{self, Case};
use common::programs;
use microkit_image::{PlanErrorKind, PlanErrors, plan};

fn errors(case: &Case) -> PlanErrors {
    let system = common::parsed(&case.text, &case.files);
    match plan(&system, &case.platform, &case.files_later) {
        Ok(plan) => panic!("{} is laid out:\n{plan}", case.name),
        Err(errors) => errors,
    }
}

fn check(input: &Case, folder: &str) {
    let expect = common::folder(folder)
        .join(&input.name)
        .with_extension("report");
    common::check_file(&common::draw(&errors(input)), &expect);
}

#[test]
fn each_bad_program_gets_its_report() {
    programs::bad()
        .iter()
        .for_each(|case| check(case, "programs"));
}

#[test]
fn each_bad_system_gets_its_report() {
    corpus::systems("bad")
        .iter()
        .for_each(|case| check(case, "bad"));
}

#[test]
fn every_report_has_a_program_and_no_two_programs_have_one_name() {
    let cases = programs::bad();
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len());
    for entry in common::folder("programs").read_dir().unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(names.contains(name), "nothing makes {}", path.display());
    }
}

#[test]
fn every_kind_of_fault_has_a_case() {
    let cases = [programs::bad(), corpus::systems("bad")].concat();
    let seen: BTreeSet<String> = cases
        .iter()
        .flat_map(|case| errors(case).findings().to_vec())
        .map(|error| match error.kind {
            PlanErrorKind::Program { error, .. } => variant(&format!("{error:?}")),
            kind => variant(&format!("{kind:?}")),
        })
        .collect();
    let listed = [
        listed(include_str!("../src/error.rs"), "pub enum PlanErrorKind {"),
        listed(
            include_str!("../src/program_error.rs"),
            "pub enum ProgramError {",
        ),
    ]
    .concat();
    assert!(listed.len() > 30, "read only {listed:?} of the sources");
    let missing: Vec<_> = listed
        .iter()
        .filter(|kind| *kind != "Program" && !seen.contains(*kind))
        .collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
}

/// Returns the variants of an enum from its source, so that the test also covers new variants.
fn listed(source: &str, start: &str) -> Vec<String> {
    let (_, body) = source.split_once(start).unwrap();
    let (body, _) = body.split_once("\n}").unwrap();
    let lines = body.lines().filter_map(|line| line.strip_prefix("    "));
    lines
        .filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))
        .map(variant)
        .collect()
}

/// Returns the name at the start of a variant's definition or debug output.
fn variant(text: &str) -> String {
    text.chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect()
}
