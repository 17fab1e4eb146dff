//! Holds the table of the examples' host tests, in the chapter on tests, against the examples and the
//! tests.

use std::collections::BTreeSet;
use std::fs;

use ci::root;

/// A row of the table: the examples, the files with their tests, and what is said beside.
#[derive(Debug, PartialEq, Eq)]
struct Row<'a> {
    examples: Vec<&'a str>,
    tests: Vec<&'a str>,
    reason: &'a str,
}

/// What is between backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The rows of the table that follows on this heading.
fn rows(chapter: &str) -> Vec<Row<'_>> {
    let (_, section) = chapter
        .split_once("\n## The examples\n")
        .expect("the chapter has the section");
    section
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [examples, tests, reason] = cells[..] else {
                panic!("a row of three cells is expected: {line}")
            };
            Row {
                examples: quoted(examples),
                tests: quoted(tests),
                reason,
            }
        })
        .collect()
}

fn chapter() -> String {
    fs::read_to_string(root().join("docs/guide/testing.md")).expect("it is there")
}

/// Where the tests of `microkit-test` have the programs of the examples.
const PROGRAMS: &str = "crates/test/microkit-test/tests/examples/mod.rs";

#[test]
fn every_example_stands_once_in_the_table() {
    let chapter = chapter();
    let mut told = BTreeSet::new();
    for example in rows(&chapter).into_iter().flat_map(|row| row.examples) {
        assert!(told.insert(example.to_owned()), "{example} is there twice");
    }
    let packages: BTreeSet<String> = fs::read_dir(root().join("examples"))
        .expect("there are examples")
        .map(|entry| entry.expect("it can be read"))
        .filter(|entry| entry.path().join("Cargo.toml").exists())
        .map(|entry| entry.file_name().into_string().expect("it is a name"))
        .collect();
    assert_eq!(told, packages);
}

#[test]
fn every_example_has_tests_that_run_it_or_a_reason() {
    let chapter = chapter();
    let read = |path: &str| fs::read_to_string(root().join(path));
    let programs = read(PROGRAMS).expect("it is there");
    for row in rows(&chapter) {
        assert!(
            !row.tests.is_empty() || row.reason.len() > 10,
            "neither tests nor a reason: {row:?}"
        );
        for path in row.tests {
            let file = read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
            assert!(file.contains("#[test]"), "{path} has no test");
            for example in &row.examples {
                let is_own = path == format!("examples/{example}/src/tests.rs")
                    || path.starts_with(&format!("examples/{example}/tests/"));
                let program = format!("/{example}/src/main.rs\"");
                let is_given =
                    path.starts_with("crates/test/microkit-test/") && programs.contains(&program);
                assert!(
                    is_own || is_given || file.contains(&program),
                    "{path} does not run {example}"
                );
            }
        }
    }
}

/// The checks must be able to fail.
#[test]
fn a_row_is_read() {
    let text = "\n## The examples\n\n| Example | Tests | Not |\n|---|---|---|\n\
                | `a`, `b` | `x.rs` | |\n| `c` | | why `d` |\n";
    let row = |examples: &[&'static str], tests: &[&'static str], reason| Row {
        examples: examples.to_vec(),
        tests: tests.to_vec(),
        reason,
    };
    assert_eq!(
        rows(text),
        [row(&["a", "b"], &["x.rs"], ""), row(&["c"], &[], "why `d`")]
    );
}
