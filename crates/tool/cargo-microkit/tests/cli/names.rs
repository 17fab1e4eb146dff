//! Tests the resolution of a SYSTEM argument to a system file.

use crate::bench::{Bench, PROGRAM, VERSION, check, system_text};

/// Builds the system that `argument` names, in this folder.
#[track_caller]
fn build(bench: &Bench, folder: &str, argument: &str, is_success: bool, parts: &[&str]) {
    let mut command = bench.microkit(&["build", argument, "--sdk"]);
    command
        .arg(bench.sdk(VERSION))
        .current_dir(bench.path(folder));
    check(command, is_success, parts);
}

#[test]
fn a_system_file_in_the_current_folder_needs_no_extension() {
    let bench = Bench::new();
    bench.system("wordle");
    bench.file("wordle.expected", "x\n");
    build(&bench, "", "wordle", true, &["wordle.img"]);
    let list = check(bench.microkit(&["test", "wordle", "--list"]), true, &[]);
    assert_eq!(list, "wordle (sel4 debug, dev)\n");
    let arguments = ["check", "wordle", "--no-build"];
    check(bench.microkit(&arguments), true, &["wordle: in order"]);
    let arguments = ["graph", "wordle", "--no-build"];
    check(bench.microkit(&arguments), true, &["<svg"]);

    // Builds in a package without `microkit-systems`, and in a subfolder of the package.
    bench.file("Cargo.toml", "[package]\nname = \"x\"\n");
    bench.file("src/main.rs", "");
    build(&bench, "", "wordle", true, &[]);
    bench.system("sub/deep");
    build(&bench, "", "sub/deep", true, &["deep.img"]);
}

#[test]
fn an_unknown_name_gets_the_names_of_the_current_folder() {
    let bench = Bench::new();
    bench.system("wordle");
    let suggested = ["`wrdle`", "did you mean `wordle`?"];
    build(&bench, "", "wrdle", false, &suggested);
    let parts = ["`./wrdle.system`", "did you mean `wordle`?"];
    build(&bench, "", "./wrdle.system", false, &parts);
    bench.system("games/chess");
    let parts = ["`games` is a directory", "`games/chess.system`"];
    build(&bench, "", "games", false, &parts);

    bench.file("Cargo.toml", "[package]\nname = \"x\"\n");
    bench.file("src/main.rs", "");
    build(&bench, "", "wrdle", false, &suggested);
    let parts = ["nothing to test", "`wordle`"];
    check(bench.microkit(&["test"]), false, &parts);
}

#[test]
fn an_ambiguous_name_is_refused_with_both_systems() {
    let bench = Bench::new();
    bench.file("Cargo.toml", "[workspace]\n");
    let text = system_text("x", "../x.elf");
    bench.file("microkit-systems/x.system", &text);
    bench.file("x.elf", crate::bench::elf(None));
    build(&bench, "", "x", true, &[]);
    // In the folder of the system, the name is not ambiguous.
    build(&bench, "microkit-systems", "x", true, &[]);
    bench.file("sub/x.system", &text);
    let parts = [
        "two systems are called `x`",
        "microkit-systems/x.system`",
        "`./x.system`",
    ];
    build(&bench, "sub", "x", false, &parts);
    build(&bench, "sub", "./x.system", true, &[]);
}

impl Bench {
    /// Makes a workspace: the package `clock`, the package `radio`, and systems at the root. The
    /// systems `clock` and `radio` have a program of Cargo.
    fn workspace(&self) {
        self.file(
            "Cargo.toml",
            "[workspace]\nmembers = [\"clock\", \"radio\"]\nresolver = \"3\"\n",
        );
        for name in ["clock", "radio"] {
            let manifest = format!("[package]\nname = \"{name}\"\nedition = \"2024\"\n");
            self.file(&format!("{name}/Cargo.toml"), manifest);
            self.file(&format!("{name}/src/bin/{name}.rs"), PROGRAM);
        }
        self.file("clock/src/deep/note", "");
        let text = |name: &str| system_text(name, &format!("{name}.elf"));
        self.file("clock/clock.system", text("clock"));
        self.file("radio/microkit-systems/radio.system", text("radio"));
        self.file("microkit-systems/more/both.system", text("clock"));
    }

    /// Asserts the systems of `check`, in this folder.
    #[track_caller]
    fn checks(&self, folder: &str, systems: &[&str]) {
        let mut command = self.microkit(&["check", "--no-build"]);
        command.current_dir(self.path(folder));
        let log = check(command, true, &[]);
        let names = log.lines().filter_map(|line| line.split_once(':'));
        let names: Vec<_> = names.map(|(name, _)| name).collect();
        assert_eq!(names, systems, "in `{folder}`");
    }
}

#[test]
fn a_name_is_found_from_every_folder_of_a_workspace() {
    let bench = Bench::new();
    bench.workspace();
    for folder in ["", "clock", "clock/src/deep", "radio", "microkit-systems"] {
        for system in ["clock", "radio", "both"] {
            for command in ["check", "graph"] {
                let mut command = bench.microkit(&[command, system, "--no-build"]);
                command.current_dir(bench.path(folder));
                check(command, true, &[]);
            }
        }
        let parts = [
            "no system is called `clok`",
            "did you mean `clock`?",
            "`both`, `clock`",
        ];
        build(&bench, folder, "clok", false, &parts);
    }
    build(&bench, "clock/src/deep", "clock", true, &["clock.img"]);
    build(&bench, "", "radio", true, &["radio.img"]);
}

#[test]
fn the_only_system_of_a_package_needs_no_name() {
    let bench = Bench::new();
    bench.workspace();
    for folder in ["clock", "clock/src/deep"] {
        let mut command = bench.microkit(&["build", "--sdk"]);
        command
            .arg(bench.sdk(VERSION))
            .current_dir(bench.path(folder));
        check(command, true, &["clock.img"]);
        bench.checks(folder, &["clock"]);
    }
    let mut command = bench.with_qemu(&["run"], "echo \"$@\"");
    command
        .args(["--", "-d", "int"])
        .current_dir(bench.path("radio"));
    check(command, true, &["-d int"]);
    let mut command = bench.microkit(&["graph", "--no-build"]);
    command.current_dir(bench.path("radio/src"));
    check(command, true, &["<svg", "radio"]);
}

#[test]
fn without_a_name_several_systems_are_listed_with_the_command() {
    let bench = Bench::new();
    bench.workspace();
    let several = [
        "no system is named, and there are 3 systems",
        "SYSTEM`, where SYSTEM is one of `both`, `clock`, `radio`",
    ];
    for command in ["run", "build", "graph", "bench"] {
        let typed = format!("`cargo microkit {command} SYSTEM");
        let parts = [&several[..], &[&typed]].concat();
        let command = bench.microkit(&[command]);
        check(command, false, &parts);
    }
    bench.checks("", &["both", "clock", "radio"]);
    bench.checks("microkit-systems", &["both", "clock", "radio"]);
    // A second system of the package: `check` reports both, and `run` needs a name.
    bench.file("clock/alarm.system", system_text("clock", "clock.elf"));
    bench.checks("clock/src", &["alarm", "clock"]);
    let mut command = bench.microkit(&["run"]);
    command.current_dir(bench.path("clock/src"));
    check(command, false, &["one of `alarm`, `clock`"]);
}

#[test]
fn without_a_system_the_error_says_where_to_write_one() {
    let bench = Bench::new();
    check(bench.microkit(&["run"]), false, &["has no system file"]);
    bench.file("Cargo.toml", "[package]\nname = \"x\"\n");
    bench.file("src/main.rs", "");
    for command in ["run", "build", "graph", "bench", "check", "test"] {
        let parts = [
            "this Cargo project has no system file",
            "beside `Cargo.toml`",
        ];
        check(bench.microkit(&[command]), false, &parts);
    }
}

#[test]
fn the_own_package_is_preferred_to_another_package() {
    let bench = Bench::new();
    bench.workspace();
    bench.file("radio/clock.system", system_text("radio", "radio.elf"));
    let drawn = |folder: &str| {
        let mut command = bench.microkit(&["graph", "clock", "--no-build"]);
        command.current_dir(bench.path(folder));
        check(command, true, &["<svg"])
    };
    assert_ne!(drawn("clock/src"), drawn("radio/src"));
    let parts = [
        "two systems are called `clock`",
        "clock/clock.system`",
        "radio/clock.system`",
    ];
    build(&bench, "", "clock", false, &parts);
    // Both files are of one package.
    bench.file("clock/microkit-systems/clock.system", "<system/>");
    build(
        &bench,
        "clock",
        "clock",
        false,
        &["two systems are called `clock`"],
    );
}

#[test]
fn bench_measures_the_system_bench_or_the_only_one() {
    let bench = Bench::new();
    bench.workspace();
    let mut command = bench.microkit(&["bench", "--qemu", "/missing"]);
    command.current_dir(bench.path("clock"));
    // The system is found, so the missing QEMU is the error.
    check(command, false, &["/missing"]);
    bench.file(
        "microkit-systems/bench.system",
        system_text("clock", "clock.elf"),
    );
    let command = bench.microkit(&["bench", "--qemu", "/missing"]);
    check(command, false, &["/missing"]);
}
