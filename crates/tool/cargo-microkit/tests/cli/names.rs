//! Tests the resolution of a SYSTEM argument to a system file.

use crate::bench::{Bench, VERSION, check, system_text};

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
    let named = ["nothing to", "name a system of this folder: `wordle`"];
    check(bench.microkit(&["test"]), false, &named);
    check(bench.microkit(&["check"]), false, &named);
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
