//! Makes a package from each template of `cargo microkit new`, outside the workspace. Compares its
//! files with those of the template's example, and tests it on the host and on each kernel that
//! this machine has.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ci::root;

/// The templates, each with its example.
const TEMPLATES: [(&str, &str); 6] = [
    ("hello", "hello"),
    ("ping-pong", "ping-pong"),
    ("typed", "ping-pong-typed"),
    ("server", "sums"),
    ("driver", "clock"),
    ("rust-sel4", "rust-sel4"),
];

/// Files of a package that its example does not have in this form.
const OWN: [&str; 5] = [
    ".github/workflows/test.yml",
    ".gitignore",
    ".vscode/settings.json",
    "Cargo.toml",
    "README.md",
];

/// A folder with a package of each template.
struct Packages(tempfile::TempDir);

impl Packages {
    fn new() -> Self {
        let packages = Self(tempfile::tempdir().expect("a temporary directory"));
        for (template, _) in TEMPLATES {
            let name = format!("my-{template}");
            packages.microkit(".", &["new", &name, "--template", template]);
            // The versions of the workspace.
            let lock = packages.path(template).join("Cargo.lock");
            fs::copy(root().join("Cargo.lock"), lock).expect("a copy");
        }
        packages
    }

    fn path(&self, template: &str) -> PathBuf {
        self.0.path().join(format!("my-{template}"))
    }

    /// Runs the tool in a folder, and returns what it prints.
    #[track_caller]
    fn microkit(&self, folder: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO"));
        command
            .args(["run", "--quiet", "--package", "cargo-microkit"])
            .arg("--manifest-path")
            .arg(root().join("Cargo.toml"))
            .arg("--")
            .args(arguments);
        self.run(folder, command)
    }

    #[track_caller]
    fn run(&self, folder: &str, mut command: Command) -> String {
        let output = command
            .current_dir(self.0.path().join(folder))
            // Reuses the crates that the workspace has built.
            .env("CARGO_TARGET_DIR", root().join("target"))
            .output()
            .expect("the command runs");
        let [text, errors] =
            [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
        assert!(output.status.success(), "{command:?}\n{text}{errors}");
        text.into_owned()
    }
}

/// Returns the files of a folder, with their paths in it. The lock file is left out.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("the folder exists") {
            let path = entry.expect("the entry is readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("Cargo.lock") {
                let text = fs::read_to_string(&path).expect("a text");
                let path = path.strip_prefix(folder).expect("it is in the folder");
                found.insert(path.to_str().expect("UTF-8").to_owned(), text);
            }
        }
    }
    found
}

/// Returns the files that a package must have from its example: programs, tests, and the files of
/// the system. Only the name of the system and the paths to its files differ.
fn from_example(example: &str, name: &str) -> BTreeMap<String, String> {
    let mut expect = BTreeMap::new();
    for (path, text) in files(&root().join("examples").join(example)) {
        if path.starts_with("src/") || path.starts_with("tests/") {
            let text = text
                .replace(
                    &format!("../../../microkit-systems/{example}.expected"),
                    &format!("../{name}.expected"),
                )
                .replace(
                    &format!("../../microkit-systems/{example}.system"),
                    &format!("{name}.system"),
                )
                .replace(
                    &format!("system! {{\n    \"{example}.system\""),
                    &format!("system! {{\n    \"{name}.system\""),
                );
            expect.insert(path, text);
        }
    }
    for ending in ["system", "expected", "release.expected"] {
        let file = root().join(format!("microkit-systems/{example}.{ending}"));
        if let Ok(text) = fs::read_to_string(file) {
            expect.insert(format!("{name}.{ending}"), text);
        }
    }
    expect
}

#[test]
fn each_file_of_a_template_is_that_of_its_example() {
    let packages = Packages::new();
    for (template, example) in TEMPLATES {
        let mut made = files(&packages.path(template));
        for own in OWN {
            assert!(made.remove(own).is_some(), "{template} lacks {own}");
        }
        let expect = from_example(example, &format!("my-{template}"));
        let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&made), names(&expect), "{template}");
        for (path, text) in made {
            assert_eq!(text, expect[&path], "{template}: {path}");
        }
    }
}

/// What a manifest must have in common with that of the example.
#[derive(Debug, PartialEq)]
struct Manifest {
    description: Option<String>,
    /// The name of each dependency, with its version, features, and whether only tests use it.
    dependencies: BTreeSet<(String, String, Vec<String>, bool)>,
    /// The library and the programs, and whether `cargo test` tests each by itself.
    targets: BTreeSet<(String, Vec<String>, bool)>,
}

impl Manifest {
    fn read(folder: &Path) -> Self {
        let metadata = cargo_metadata::MetadataCommand::new()
            .cargo_path(env!("CARGO"))
            .current_dir(folder)
            .manifest_path(folder.join("Cargo.toml"))
            .no_deps()
            .exec()
            .expect("Cargo accepts the package");
        let manifest = folder.join("Cargo.toml").canonicalize();
        let manifest = manifest.expect("the manifest exists");
        let package = metadata
            .packages
            .into_iter()
            .find(|package| package.manifest_path.as_std_path() == manifest)
            .expect("the package is in its own metadata");
        let dependencies = package.dependencies.into_iter().map(|dependency| {
            // The crates of this project have no version in a package that names their folder.
            let version = match dependency.path {
                Some(_) => String::new(),
                None => dependency.req.to_string(),
            };
            let is_for_tests = dependency.kind == cargo_metadata::DependencyKind::Development;
            (dependency.name, version, dependency.features, is_for_tests)
        });
        let targets = package.targets.into_iter();
        let targets = targets.filter(|target| target.is_bin() || target.is_lib());
        Self {
            description: package.description,
            dependencies: dependencies.collect(),
            targets: targets
                .map(|target| {
                    let kinds = target.kind.iter().map(ToString::to_string);
                    (target.name, kinds.collect(), target.test)
                })
                .collect(),
        }
    }
}

#[test]
fn the_manifest_of_a_template_agrees_with_that_of_its_example() {
    let packages = Packages::new();
    for (template, example) in TEMPLATES {
        let made = Manifest::read(&packages.path(template));
        let expect = Manifest::read(&root().join("examples").join(example));
        assert_eq!(made, expect, "{template}");
    }
}

#[test]
fn each_template_passes_its_tests_and_its_checks() {
    let packages = Packages::new();
    for (template, _) in TEMPLATES {
        let name = &format!("my-{template}");
        let text = packages.microkit(name, &["test", name]);
        let on_host = format!("ok   {name} (host)\n");
        let on_model = format!("ok   {name} (model debug, dev)\n");
        let on_sel4 = [
            format!("ok   {name} (sel4 debug, dev)\n"),
            format!("skip {name} (no SDK"),
        ];
        assert!(text.contains(&on_host), "{text}");
        assert!(text.contains(&on_model), "{text}");
        assert!(on_sel4.iter().any(|line| text.contains(line)), "{text}");
        let text = packages.microkit(name, &["check", name, "--deny-warnings"]);
        assert!(text.contains("in order"), "{text}");
        let mut format = Command::new(env!("CARGO"));
        format.args(["fmt", "--check"]);
        packages.run(name, format);
    }
}

/// The lines are a comment, because Cargo warns of replacements that nothing uses.
#[test]
fn the_lines_that_replace_the_crates_of_rust_sel4_are_valid() {
    let packages = Packages::new();
    let file = packages.path("rust-sel4").join("Cargo.toml");
    let text = fs::read_to_string(&file).expect("the manifest");
    let (rest, lines) = text.split_once("# [patch.").expect("the lines");
    let lines = format!("# [patch.{lines}").replace("# ", "");
    assert_eq!(lines.lines().count(), 4, "{lines}");
    fs::write(&file, format!("{rest}{lines}")).expect("the manifest");
    let mut metadata = Command::new(env!("CARGO"));
    metadata.args(["metadata", "--offline", "--format-version", "1"]);
    packages.run("my-rust-sel4", metadata);
}
