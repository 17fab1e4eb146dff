//! Checks that each program of the examples and of `ci/programs` runs in a test on the host. For
//! every other program, the README of the package must give the reason.

use std::fs;
use std::path::{Path, PathBuf};

use ci::root;

/// Returns the packages that contain programs.
fn packages() -> Vec<PathBuf> {
    let packages = ["examples", "ci/programs"].into_iter().flat_map(|folder| {
        let entries = fs::read_dir(root().join(folder)).expect("the folder exists");
        entries.map(|entry| entry.expect("the entry is readable").path())
    });
    packages.filter(|path| path.is_dir()).collect()
}

/// Returns the names of a package's programs.
fn programs(package: &Path) -> Vec<String> {
    let entries = fs::read_dir(package.join("src/bin")).expect("a package has programs");
    let names = entries.map(|entry| entry.expect("the entry is readable").path());
    names
        .map(|path| {
            path.file_stem()
                .expect("a program has a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect()
}

/// Returns the sources of a package's test files.
fn tests(package: &Path) -> Vec<String> {
    let entries = fs::read_dir(package.join("tests")).into_iter().flatten();
    entries
        .map(|entry| {
            fs::read_to_string(entry.expect("the entry is readable").path()).unwrap_or_default()
        })
        .filter(|text| text.contains("#[test]"))
        .collect()
}

/// Returns whether a test file has the program as a module.
fn runs(test: &str, program: &str) -> bool {
    ["rs", "/main.rs"].iter().any(|end| {
        let end = end
            .strip_prefix('/')
            .map_or(format!(".{end}"), |end| format!("/{end}"));
        test.contains(&format!("\"../src/bin/{program}{end}\""))
    })
}

/// Returns the reason that a README gives for a program without a test.
fn reason<'a>(readme: &'a str, program: &str) -> Option<&'a str> {
    let start = format!("Not run on the host: `{program}`, because ");
    readme
        .lines()
        .find_map(|line| line.strip_prefix(start.as_str()))
}

#[test]
fn every_program_runs_in_a_test_on_the_host_or_its_readme_says_why_not() {
    let packages = packages();
    assert!(packages.len() > 20, "only {} were read", packages.len());
    for package in packages {
        let tests = tests(&package);
        let readme = package.join("README.md");
        let readme = fs::read_to_string(&readme).unwrap_or_else(|e| panic!("{readme:?}: {e}"));
        for program in programs(&package) {
            let is_run = tests.iter().any(|test| runs(test, &program));
            assert_eq!(
                !is_run,
                reason(&readme, &program).is_some(),
                "{}: `{program}` must either run in a test or have a reason in the README",
                package.display()
            );
        }
    }
}

#[test]
fn every_example_has_a_readme_with_its_system_and_what_it_prints() {
    let list = fs::read_to_string(root().join("examples/README.md")).expect("the file exists");
    let examples: Vec<_> = packages()
        .into_iter()
        .filter(|package| package.parent() == Some(&root().join("examples")))
        .collect();
    assert!(
        examples.len() <= 30,
        "a reader has no time for more than 30 examples"
    );
    for example in examples {
        let name = example
            .file_name()
            .expect("a name")
            .to_str()
            .expect("UTF-8");
        assert!(
            list.contains(&format!("[`{name}`]({name})")),
            "{name} is not in the list"
        );
        assert!(
            example.join("system.svg").is_file(),
            "{name} has no picture"
        );
        let readme = fs::read_to_string(example.join("README.md")).expect("the file exists");
        let expected = root().join(format!("microkit-systems/{name}.expected"));
        let expected = fs::read_to_string(expected).expect("the system has an .expected file");
        let printed = readme
            .split("```")
            .nth(1)
            .expect("the README shows the output");
        let lines = printed.lines().skip(1).filter(|line| *line != "…");
        for line in lines {
            assert!(
                expected.lines().any(|other| other == line),
                "{name} does not print: {line}"
            );
        }
    }
}

/// Asserts that `runs` detects a test of a program, and that `reason` reads a README.
#[test]
fn a_test_and_a_reason_are_read() {
    assert!(runs("#[path = \"../src/bin/a.rs\"]", "a"));
    assert!(runs("#[path = \"../src/bin/a/main.rs\"]", "a"));
    assert!(!runs("#[path = \"../src/bin/a.rs\"]", "b"));
    let readme = "Not run on the host: `a`, because it is loud.\n";
    assert_eq!(reason(readme, "a"), Some("it is loud."));
    assert_eq!(reason(readme, "b"), None);
}
