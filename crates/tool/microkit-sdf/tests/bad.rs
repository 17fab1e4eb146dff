//! Asserts that each bad system has the expected report. Every variant of the errors has a bad
//! system.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use microkit_sdf::{SdfErrors, parse};

fn errors(input: &Path) -> SdfErrors {
    let text = fs::read_to_string(input).unwrap();
    let name = input.file_name().unwrap().to_str().unwrap();
    match parse(name, &text, common::options(&text, &common::files())) {
        Ok(_) => panic!("{name} is accepted"),
        Err(errors) => errors,
    }
}

fn check(input: &Path, expect: &Path) {
    common::check_file(&common::draw(&errors(input)), expect);
}

#[test]
fn each_bad_system_gets_its_report() {
    for input in common::systems("bad") {
        check(&input, &input.with_extension("report"));
    }
}

#[test]
fn every_kind_of_error_has_a_bad_system() {
    // The test reads the variants from the source, because the enum may grow.
    let source = include_str!("../src/error.rs");
    let (_, body) = source.split_once("pub enum SdfErrorKind {").unwrap();
    let (body, _) = body.split_once("\n}").unwrap();
    let listed: BTreeSet<String> = body
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))
        .map(variant)
        .collect();
    assert!(listed.len() > 40, "read only {listed:?} of the source");

    let seen: BTreeSet<String> = common::systems("bad")
        .iter()
        .flat_map(|input| {
            let errors = errors(input);
            errors
                .findings()
                .iter()
                .map(|e| variant(&format!("{:?}", e.kind)))
                .collect::<Vec<_>>()
        })
        .collect();
    let missing: Vec<_> = listed.difference(&seen).collect();
    assert!(missing.is_empty(), "no bad system for {missing:?}");
}

/// Returns the name at the start of a variant's definition or debug output.
fn variant(text: &str) -> String {
    text.chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect()
}
