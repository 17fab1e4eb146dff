//! Tests that no command overwrites a hand-written file.

use std::fs;

use crate::bench::{BOOT, Bench, VERSION, check, text};

/// Runs `--bless` for `hello.system` in a fake QEMU. The `.expected` file contains `before`, and
/// the fake QEMU runs the script `qemu` after the boot. The command must fail, print all of
/// `parts`, and not change the file.
#[track_caller]
fn is_left(before: &[u8], qemu: &str, parts: &[&str]) {
    let bench = Bench::new();
    bench.system("hello");
    bench.file("hello.expected", before);
    let arguments = ["test", "hello.system", "--bless", "--timeout", "2"];
    check(
        bench.with_qemu(&arguments, &format!("{BOOT}{qemu}")),
        false,
        parts,
    );
    let after = fs::read(bench.path("hello.expected")).expect("the file");
    assert_eq!(after, before);
}

#[test]
fn blessing_does_not_change_an_invalid_file() {
    let log = "echo 'name?'; exec sleep 100";
    is_left(
        b"type: Ada\nname?\n",
        log,
        &["FAIL hello", "hello.expected", "begins with `type:`"],
    );
    is_left(b"a\nre:(\nb\n", log, &["hello.expected", "line 2"]);
    is_left(b"skip:\n", log, &["without a reason"]);
    is_left(b"na\xefve\n", log, &["cannot read", "UTF-8"]);
}

#[test]
fn blessing_does_not_change_a_file_if_not_all_lines_were_typed() {
    let before = b"name?\ntype: Ada\nage?\ntype: 36\n";
    let parts = ["`type: 36`", "was not written"];
    is_left(
        before,
        "echo 'name?'; dd bs=1 count=4 >/dev/null 2>&1; exit 0",
        &parts,
    );
}

#[test]
fn blessing_writes_through_a_link_and_not_to_a_read_only_file() {
    let bench = Bench::new();
    bench.system("hello");
    bench.file("real.expected", "x\n");
    std::os::unix::fs::symlink("real.expected", bench.path("hello.expected")).expect("a link");
    let bless = |is_success, parts: &[&str]| {
        let arguments = ["test", "hello.system", "--bless", "--timeout", "2"];
        let qemu = format!("{BOOT}echo hi; exec sleep 100");
        check(bench.with_qemu(&arguments, &qemu), is_success, parts);
        text(&bench.path("real.expected"))
    };
    assert_eq!(bless(true, &["ok   hello"]), "hi\n");
    let link = fs::symlink_metadata(bench.path("hello.expected")).expect("it is there");
    assert!(link.is_symlink(), "the link is gone");

    bench.file("real.expected", "mine\n");
    let mut mode = fs::metadata(bench.path("real.expected"))
        .expect("it is there")
        .permissions();
    mode.set_readonly(true);
    fs::set_permissions(bench.path("real.expected"), mode).expect("its mode");
    assert_eq!(bless(false, &["read-only"]), "mine\n");
}

#[test]
fn a_pattern_that_matches_nothing_any_more_is_reported() {
    let bench = Bench::new();
    bench.system("hello");
    bench.file("hello.expected", "re:took .* us\n");
    let arguments = ["test", "hello.system", "--bless", "--timeout", "2"];
    let qemu = format!("{BOOT}echo hi; exec sleep 100");
    check(
        bench.with_qemu(&arguments, &qemu),
        true,
        &["no line matches `re:took .* us` any more"],
    );
}

#[test]
fn an_output_never_replaces_what_a_person_wrote() {
    let bench = Bench::new();
    bench.system("hello");
    bench.file("notes.md", "# Mine\n");
    bench.file("mine.json", "{\"mine\": 1}\n");
    let sdk = bench.sdk(VERSION);
    let is_refused = |arguments: &[&str], file: &str| {
        let before = fs::read(bench.path(file)).expect("the file");
        let mut command = bench.microkit(arguments);
        command.arg("--sdk").arg(&sdk);
        check(
            command,
            false,
            &[file, "was not overwritten", "another file"],
        );
        let after = fs::read(bench.path(file)).expect("the file");
        assert_eq!(after, before, "{arguments:?}");
    };
    let build = |option, file| is_refused(&["build", "hello.system", option, file], file);
    build("-o", "hello.system");
    build("-o", "hello.elf");
    build("-o", "./notes.md");
    build("--report", "hello.system");
    build("--report", "notes.md");
    is_refused(
        &["run", "hello.system", "-o", "hello.system"],
        "hello.system",
    );
    let graph = ["graph", "hello.system", "--no-build", "-o", "hello.system"];
    is_refused(&graph, "hello.system");
    bench.file(
        "mine.svg",
        "<svg xmlns=\"http://www.w3.org/2000/svg\"><!-- mine --></svg>\n",
    );
    is_refused(
        &["graph", "hello.system", "--no-build", "-o", "mine.svg"],
        "mine.svg",
    );
    let bench_to = |option, file| {
        is_refused(
            &["bench", "hello.system", "--no-install", option, file],
            file,
        )
    };
    bench_to("--json", "hello.system");
    bench_to("--json", "mine.json");
    bench_to("--plot", "hello.system");
    bench.file("hello.json", "not a table\n");
    is_refused(
        &["bench", "hello.system", "--no-install", "--bless"],
        "hello.json",
    );

    let mut command = bench.microkit(&["build", "hello.system", "-o", "x", "--report", "./x"]);
    command.arg("--sdk").arg(&sdk);
    check(command, false, &["two outputs", "`./x`"]);
}
