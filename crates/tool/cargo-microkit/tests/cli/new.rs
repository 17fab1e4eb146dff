//! Tests `new` and `init`: which folders and names they accept, and where the dependencies come
//! from. `ci/tests/templates.rs` builds and runs each template.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bench::{Bench, check, text};

/// The root of this project.
fn clone() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(3).expect("three folders").into()
}

/// Returns the names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.into_string().expect("UTF-8"))
        .collect();
    names.sort();
    names
}

/// Asserts that Cargo accepts the package in a folder. Returns the root of its workspace.
#[track_caller]
fn workspace_root(folder: &Path) -> PathBuf {
    let mut command = Command::new(env!("CARGO"));
    command.args(["metadata", "--no-deps", "--format-version", "1"]);
    let said = check(in_folder(command, folder), true, &[]);
    let metadata: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    metadata["workspace_root"].as_str().expect("a path").into()
}

fn in_folder(mut command: Command, folder: &Path) -> Command {
    command.current_dir(folder);
    command
}

#[test]
fn a_package_is_made_in_the_folder_that_the_path_names() {
    let bench = Bench::new();
    let next = "cd a/b/blinker\ncargo microkit run blinker\n";
    let said = check(bench.microkit(&["new", "a/b/blinker"]), true, &["Created"]);
    assert_eq!(said, next);
    let folder = bench.path("a/b/blinker");
    assert_eq!(
        names(&folder),
        [
            ".github",
            ".gitignore",
            ".vscode",
            "Cargo.toml",
            "README.md",
            "blinker.expected",
            "blinker.system",
            "src",
            "tests",
        ]
    );
    assert_eq!(names(&bench.path("a/b")), ["blinker"]);
    let manifest = text(&folder.join("Cargo.toml"));
    assert!(manifest.contains("name = \"blinker\""), "{manifest}");
    let runtime = clone().join("crates/runtime/sel4-microkit");
    assert!(
        manifest.contains(runtime.to_str().expect("UTF-8")),
        "{manifest}"
    );
    assert_eq!(
        workspace_root(&folder),
        folder.canonicalize().expect("the folder")
    );

    // An empty folder, and an absolute path with a blank.
    fs::create_dir(bench.path("an empty")).expect("a folder");
    fs::create_dir(bench.path("an empty/one")).expect("a folder");
    let path = bench.path("an empty/one");
    let path = path.to_str().expect("UTF-8");
    let next = format!("cd '{path}'\n");
    check(bench.microkit(&["new", path]), true, &[&next]);
    assert!(bench.path("an empty/one/one.system").is_file());
}

#[test]
fn a_folder_with_files_is_refused_and_unchanged() {
    let bench = Bench::new();
    bench.file("mine/notes.txt", "notes");
    let refused = ["not empty", "`notes.txt`", "nothing was written"];
    check(bench.microkit(&["new", "mine"]), false, &refused);
    let init = bench.microkit(&["init"]);
    check(in_folder(init, &bench.path("mine")), false, &refused);
    assert_eq!(names(&bench.path("mine")), ["notes.txt"]);

    let file = bench.file("file", "x");
    check(bench.microkit(&["new", "file"]), false, &["`", "file`"]);
    check(bench.microkit(&["new", "file/x"]), false, &["file/x`"]);
    check(bench.microkit(&["new", "no/../x"]), false, &["no/../x`"]);
    std::os::unix::fs::symlink("nowhere", bench.path("link")).expect("a link");
    check(bench.microkit(&["new", "link"]), false, &["link`"]);
    assert_eq!(text(&file), "x");
    assert_eq!(names(&bench.path("")), ["file", "link", "mine"]);
}

#[test]
fn an_existing_package_gets_the_lines_to_add() {
    let bench = Bench::new();
    let manifest = bench.file("mine/Cargo.toml", "[package]\nname = \"mine\"\n");
    let lines = [
        "is a Cargo package already",
        "cargo microkit new",
        "docs/guide/first-hour.md",
        "sel4-microkit = { path = ",
        "microkit-test = { path = ",
        "test = false",
    ];
    check(bench.microkit(&["new", "mine"]), false, &lines);
    let init = bench.microkit(&["init", "--template", "hello"]);
    check(in_folder(init, &bench.path("mine")), false, &lines);
    assert_eq!(names(&bench.path("mine")), ["Cargo.toml"]);
    assert_eq!(text(&manifest), "[package]\nname = \"mine\"\n");
}

#[test]
fn init_makes_the_package_in_the_current_folder() {
    let bench = Bench::new();
    bench.file("blinker/.git/config", "");
    let init = |arguments: &[&str]| {
        let arguments = [&["init", "--template", "hello"], arguments].concat();
        in_folder(bench.microkit(&arguments), &bench.path("blinker"))
    };
    let said = check(init(&[]), true, &["Created"]);
    assert_eq!(said, "cargo microkit run blinker\n");
    assert!(bench.path("blinker/src/bin/hello.rs").is_file());
    assert!(bench.path("blinker/.git/config").is_file());
    let before = names(&bench.path("blinker"));
    check(init(&[]), false, &["is a Cargo package already"]);
    assert_eq!(names(&bench.path("blinker")), before);

    fs::create_dir(bench.path("2 lamps")).expect("a folder");
    let init = |arguments: &[&str]| {
        let arguments = [&["init"], arguments].concat();
        in_folder(bench.microkit(&arguments), &bench.path("2 lamps"))
    };
    check(init(&[]), false, &["`2 lamps`", "--name NAME"]);
    let next = ["cargo microkit run lamps"];
    check(init(&["--name", "lamps"]), true, &next);
    assert!(bench.path("2 lamps/lamps.system").is_file());
}

#[test]
fn a_wrong_name_or_template_is_refused_before_anything_is_written() {
    let bench = Bench::new();
    for name in ["2x", "a b", "x.y", "fn", "test", "core", "é"] {
        let quoted = format!("`{name}`");
        let parts = [quoted.as_str(), "cannot be the name of a package"];
        check(bench.microkit(&["new", name]), false, &parts);
    }
    // Each is the name of a dependency of the template.
    for name in ["sel4-microkit", "heapless", "microkit-test"] {
        let parts = ["depends on a package of this name"];
        let arguments = ["new", name, "--template", "typed"];
        check(bench.microkit(&arguments), false, &parts);
    }
    check(bench.microkit(&["new", "sub/edition"]), true, &[]);
    fs::remove_dir_all(bench.path("sub")).expect("the folder");
    for name in [".", "..", "a/..", "/"] {
        check(bench.microkit(&["new", name]), false, &["init"]);
    }
    let parts = ["hello", "ping-pong", "typed"];
    let arguments = ["new", "x", "--template", "helo"];
    check(bench.microkit(&arguments), false, &parts);
    check(bench.microkit(&["new"]), false, &["<PATH>"]);
    assert!(names(&bench.path("")).is_empty());
}

#[test]
fn a_package_inside_another_workspace_builds() {
    let bench = Bench::new();
    let member = "[package]\nname = \"old\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    bench.file("outer/crates/old/Cargo.toml", member);
    bench.file("outer/crates/old/src/lib.rs", "");
    bench.file(
        "outer/Cargo.toml",
        "[workspace]\nmembers = [\"crates/*\"]\n",
    );
    let root = |folder: &str| bench.path(folder).canonicalize().expect("the folder");
    // The workspace does not list the first folder, and lists the second by its pattern.
    for (path, expect) in [
        ("outer/blinker", "outer/blinker"),
        ("outer/crates/lamp", "outer"),
    ] {
        check(bench.microkit(&["new", path]), true, &[]);
        assert_eq!(workspace_root(&bench.path(path)), root(expect), "{path}");
        assert_eq!(workspace_root(&bench.path("outer")), root("outer"));
    }
}

#[test]
fn the_source_of_the_runtime_is_the_one_that_is_named() {
    let bench = Bench::new();
    let make = |name: &str, source: &str| {
        check(
            bench.microkit(&["new", name, "--runtime", source]),
            true,
            &[],
        );
        let read = |file: &str| text(&bench.path(&format!("{name}/{file}")));
        (read("Cargo.toml"), read(".github/workflows/test.yml"))
    };
    let has = |text: &str, parts: &[&str]| {
        for part in parts {
            assert!(text.contains(part), "no `{part}` in:\n{text}");
        }
    };
    let (manifest, workflow) = make("a", "https://a.example/b#v0.1.0");
    let git = "git = \"https://a.example/b\", tag = \"v0.1.0\"";
    has(&manifest, &[&format!("microkit-test = {{ {git} }}")]);
    let install = "--git https://a.example/b --tag v0.1.0 cargo-microkit";
    has(&workflow, &[install]);
    let (manifest, _) = make("b", "https://a.example/b#0123abcd");
    has(&manifest, &["rev = \"0123abcd\""]);
    let (manifest, workflow) = make("c", clone().to_str().expect("UTF-8"));
    has(&manifest, &[&format!("path = \"{}/", clone().display())]);
    has(&workflow, &["exit 1"]);

    for wrong in ["no-such-folder", "git@a.example:b", "."] {
        let arguments = ["new", "d", "--runtime", wrong];
        check(bench.microkit(&arguments), false, &["help"]);
    }
    assert_eq!(names(&bench.path("")), ["a", "b", "c"]);
}

/// The installed program is a copy in a folder `bin`, with Cargo's record beside it.
#[test]
fn an_installed_program_takes_the_runtime_from_where_it_was_installed_from() {
    let bench = Bench::new();
    let program = bench.path("home/bin/cargo-microkit");
    fs::create_dir_all(bench.path("home/bin")).expect("a folder");
    // Another process copies it: a program cannot be started while a fork of this process has it
    // open for writing.
    let mut copy = Command::new("cp");
    copy.arg(env!("CARGO_BIN_EXE_cargo-microkit")).arg(&program);
    check(copy, true, &[]);
    let source = "git+https://a.example/b?tag=v0.1.0#0123456789abcdef0123456789abcdef01234567";
    let record = format!(
        "{{\"installs\": {{\"cargo-microkit 0.1.0 ({source})\": {{\"bins\": [\"cargo-microkit\"]}}}}}}"
    );
    bench.file("home/.crates2.json", record);
    let mut command = Command::new(program);
    command.args(["microkit", "new", "blinker"]);
    check(in_folder(command, &bench.path("")), true, &[]);
    let manifest = text(&bench.path("blinker/Cargo.toml"));
    let git = "git = \"https://a.example/b\", tag = \"v0.1.0\"";
    assert!(manifest.contains(git), "{manifest}");
}

#[test]
fn the_list_has_a_line_for_each_template() {
    let bench = Bench::new();
    let list = check(bench.microkit(&["new", "--list"]), true, &[]);
    let names: Vec<_> = list
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let all = [
        "hello",
        "ping-pong",
        "typed",
        "server",
        "driver",
        "rust-sel4",
    ];
    assert_eq!(names, all);
    assert!(list.contains("`hello, world`"), "{list}");
}
