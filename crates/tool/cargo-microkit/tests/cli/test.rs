//! Tests the results of `test`: passes, failures, and skipped systems. A skipped system does not
//! pass.

use std::fs;

use crate::bench::{BOOT, Bench, check, elf, system_text, text};

const LOG: &str = "printf 'hello, world\\r\\n'; echo 'at 0x1f'; exec sleep 100";

/// Tests `hello.system` in a fake QEMU. The expected output is `expected`. The fake QEMU runs the
/// script `qemu` after the boot.
#[track_caller]
fn test(expected: &str, qemu: &str, is_success: bool, parts: &[&str]) {
    let bench = Bench::new();
    bench.system("hello");
    bench.file("hello.expected", expected);
    let arguments = ["test", "hello.system", "--timeout", "4"];
    let command = bench.with_qemu(&arguments, &format!("{BOOT}{qemu}"));
    let log = check(command, is_success, parts);
    let counts = if is_success {
        "1 passed, 0 failed, 0 skipped"
    } else {
        "0 passed, 1 failed, 0 skipped"
    };
    assert_eq!(log.lines().last(), Some(counts), "{log}");
}

#[test]
fn exactly_the_expected_lines_pass() {
    test(
        "hello, world\nat 0x1f\n",
        LOG,
        true,
        &["ok   hello (sel4 debug, dev)"],
    );
    test("hello, world\nre:at 0x[0-9a-f]+\n", LOG, true, &[]);
    let remarks = "echo \"MON|INFO: PD 'a' is now passive!\"; echo '<<seL4(CPU 0) [x]: y>>'";
    test(
        "hello, world\nat 0x1f\n",
        &format!("{remarks}; {LOG}"),
        true,
        &[],
    );
    test("login: ", "printf 'login: '; exec sleep 100", true, &[]);
    test("bye\n", "echo bye; exit 0", true, &[]);
}

#[test]
fn any_other_line_fails_with_the_difference() {
    let parts = [
        "FAIL hello (sel4 debug, dev)",
        "line 1 differs from `hello.expected`",
    ];
    test("hello, wrld\nat 0x1f\n", LOG, false, &parts);
    test(
        "hello, wrld\nat 0x1f\n",
        LOG,
        false,
        &["    1       - hello, wrld\n", "1 + hello, world\n"],
    );
    test(
        "hello, world\n",
        LOG,
        false,
        &["printed more lines than `hello.expected`", "2 + at 0x1f"],
    );
    test(
        "hello, world\n",
        "echo 'hello, world'; printf more; exec sleep 9",
        false,
        &["2 + more"],
    );
}

/// A guest that prints a question and answers after Enter.
const ASKS: &str = "echo 'name?'; name=$(dd bs=1 count=4 2>/dev/null | tr -d '\\r')\n\
                    echo \"hello, $name\"; exec sleep 100";

#[test]
fn input_is_typed_after_the_lines_before_it_have_come() {
    test("name?\ntype: Ada\nhello, Ada\n", ASKS, true, &[]);
    let parts = ["line 3 differs from `hello.expected`", "+ hello, Bob"];
    test("name?\ntype: Bob\nhello, Ada\n", ASKS, false, &parts);
    let parts = ["waited for line 3", "(typed `Al`)"];
    test("name?\ntype: Al\nhello, Al\n", ASKS, false, &parts);
    test("type: Ada\nname?\n", ASKS, false, &["begins with `type:`"]);
}

#[test]
fn a_missing_line_is_named() {
    let parts = [
        "4 s were not enough",
        "waited for line 3",
        "`and more`",
        "at 0x1f",
    ];
    test("hello, world\nat 0x1f\nand more\n", LOG, false, &parts);
    let parts = [
        "QEMU ended",
        "exit status: 1",
        "printed `qemu: no`",
        "waited for line 1",
    ];
    test("x\n", "echo 'qemu: no' >&2; exit 1", false, &parts);
}

#[test]
fn a_fault_fails_at_once_unless_it_is_expected() {
    let fault = "echo 'MON|ERROR: received message 0x6'; echo 'MON|ERROR: faulting PD: crasher'\n\
                 echo 'Registers:'; echo 'MON|ERROR: VMFault: ip=0x28'; exec sleep 100";
    let parts = [
        "PD `crasher` faulted: VMFault: ip=0x28",
        "+ MON|ERROR: received message",
    ];
    test("hello, world\n", fault, false, &parts);
    let lines = "re:MON.*\nMON|ERROR: faulting PD: crasher\nRegisters:\nre:.*VMFault.*\n";
    test(lines, fault, true, &[]);
}

#[test]
fn a_system_that_cannot_be_tested_fails_by_name() {
    test("", LOG, false, &["hello.expected", "is empty"]);
    test("re:(\n", LOG, false, &["hello.expected", "line 1"]);
    let bench = Bench::new();
    bench.system("hello");
    let fails = |options: &[&str], parts: &[&str]| {
        let mut command = bench.with_qemu(&["test", "hello.system", "--no-install"], LOG);
        command.args(options);
        let log = check(command, false, parts);
        assert_eq!(
            log.lines().last(),
            Some("0 passed, 1 failed, 0 skipped"),
            "{log}"
        );
    };
    fails(&[], &["hello.expected", "--bless"]);
    bench.file("hello.expected", "x\n");
    fails(
        &["--config", "nonsense"],
        &["FAIL hello (sel4 nonsense, dev)", "`nonsense`", "`debug`"],
    );
    fails(
        &["--board", "rpi4b_1gb"],
        &["`rpi4b_1gb` is not a QEMU machine"],
    );
    bench.file("hello.elf", elf(Some("qemu_virt_aarch64/release")));
    fails(
        &[],
        &["FAIL hello (sel4 debug, dev)", "built for the kernel"],
    );
}

#[test]
fn without_an_sdk_every_system_is_skipped_by_name() {
    let bench = Bench::new();
    bench.file("Cargo.toml", "[package]\nname = \"x\"\n");
    bench.file("src/main.rs", "");
    for name in ["hello", "ping-pong", "untested"] {
        bench.file(
            &format!("microkit-systems/{name}.system"),
            system_text("x", "x.elf"),
        );
    }
    check(
        bench.microkit(&["test"]),
        false,
        &["nothing to test", ".expected"],
    );
    for name in ["hello", "ping-pong"] {
        bench.file(&format!("microkit-systems/{name}.expected"), "x\n");
    }
    let parts = ["skip hello (no SDK: ", "skip ping-pong (no SDK: "];
    let log = check(bench.microkit(&["test"]), true, &parts);
    assert!(log.ends_with("\n0 passed, 0 failed, 2 skipped\n"), "{log}");
    let log = check(
        bench.microkit(&["test", "--list", "--config", "debug,release"]),
        true,
        &[],
    );
    let list = "hello (sel4 debug, dev)\nping-pong (sel4 debug, dev)\n\
                hello (sel4 release, dev)\nping-pong (sel4 release, dev)\n";
    assert_eq!(log, list);

    // A report names each kernel that is skipped.
    let both = |arguments: &[&str], parts: &[&str], counts: &str| {
        let mut command = bench.microkit(&["test", "--kernel", "auto"]);
        command
            .args(arguments)
            .args(["--no-install", "--qemu", "nowhere"]);
        let log = check(command, counts.contains(" 0 failed"), parts);
        assert_eq!(log.lines().last(), Some(counts), "{log}");
        log
    };
    let no_release = "skip hello (the model kernel is for board `qemu_virt_aarch64`, configuration \
                      `debug`; model release, dev)";
    let configs = ["--config", "debug,release"];
    let parts = [no_release, "skip hello (no SDK: ", "; sel4 release, dev)"];
    both(&configs, &parts, "0 passed, 2 failed, 6 skipped");
    both(
        &["--config", "release", "--profile", "dev,release"],
        &[no_release, "model release, release)"],
        "0 passed, 0 failed, 8 skipped",
    );
    let parts = ["skip ping-pong (the model kernel", "; model debug, dev)"];
    both(
        &["--board", "rpi4b_1gb"],
        &parts,
        "0 passed, 0 failed, 4 skipped",
    );
    let mut command = bench.microkit(&["test", "--kernel", "auto", "--list"]);
    command.args(configs);
    let log = check(command, true, &[]);
    assert_eq!(
        log.lines().filter(|line| line.contains("model")).count(),
        2,
        "{log}"
    );
    // With `--kernel model`, a configuration that the model kernel does not have is an error.
    let mut command = bench.microkit(&["test", "--kernel", "model", "hello"]);
    command.args(["--config", "release", "--qemu", "sh"]);
    check(command, false, &["FAIL hello (model release, dev)"]);

    // A named SDK that cannot be used is an error, and is not treated as a missing SDK.
    let command = bench.microkit(&["test", "hello", "--sdk", "nowhere"]);
    check(
        command,
        false,
        &["FAIL hello", "nowhere", "0 passed, 1 failed, 0 skipped"],
    );
}

#[test]
fn each_configuration_and_profile_is_tested() {
    let bench = Bench::new();
    for name in ["a", "b"] {
        bench.system(name);
        bench.file(&format!("{name}.expected"), "hello, world\nat 0x1f\n");
    }
    bench.file("a.release.expected", "skip: prints through the kernel\n");
    bench.file(
        "b.release.expected",
        "LDR|INFO: loader for seL4 starting\nre:.*\nre:.*\nre:.*\nre:.*\n",
    );
    let arguments = [
        "test",
        "a.system",
        "b.system",
        "--config",
        "debug,release",
        "--jobs",
        "2",
    ];
    let mut command = bench.with_qemu(&arguments, &format!("{BOOT}{LOG}"));
    command.args(["--profile", "dev", "--profile", "release"]);
    let parts = [
        "ok   a (sel4 debug, dev)",
        "ok   b (sel4 debug, release)",
        "skip a (prints through the kernel; sel4 release, dev)",
        "ok   b (sel4 release, release)",
    ];
    let log = check(command, true, &parts);
    assert!(log.ends_with("\n6 passed, 0 failed, 2 skipped\n"), "{log}");
}

#[test]
fn blessing_writes_the_printed_lines() {
    let bench = Bench::new();
    bench.system("hello");
    let bless = |qemu: &str, is_success, parts: &[&str]| {
        let arguments = ["test", "hello.system", "--bless", "--timeout", "2"];
        check(
            bench.with_qemu(&arguments, &format!("{BOOT}{qemu}")),
            is_success,
            parts,
        );
        text(&bench.path("hello.expected"))
    };
    let parts = ["ok   hello (sel4 debug, dev): wrote ", "hello.expected"];
    assert_eq!(bless(LOG, true, &parts), "hello, world\nat 0x1f\n");
    bench.file("hello.expected", "who?\ntype: Ada\n");
    assert_eq!(bless(ASKS, true, &[]), "name?\ntype: Ada\nhello, Ada\n");
    bench.file("hello.expected", "hello, world\nre:at .*\n");
    assert_eq!(bless(LOG, true, &[]), "hello, world\nre:at .*\n");
    assert_eq!(
        bless("exit 0", false, &["printed nothing"]),
        "hello, world\nre:at .*\n"
    );
    let command = bench.microkit(&[
        "test",
        "hello.system",
        "--bless",
        "--config",
        "debug,release",
    ]);
    check(command, false, &["--bless", "--config"]);
    let left = fs::read_dir(bench.path("")).expect("the bench").flatten();
    assert!(
        left.into_iter()
            .all(|file| !file.file_name().to_string_lossy().starts_with(".cargo"))
    );
}

#[test]
fn host_tests_of_packages_are_run() {
    let bench = Bench::new();
    let manifest = "[package]\nname = \"blinker\"\nedition = \"2024\"\n\n\
                    [dev-dependencies]\nmicrokit-test = { path = \"microkit-test\" }\n\n[workspace]\n";
    bench.file("Cargo.toml", manifest);
    bench.file(
        "microkit-test/Cargo.toml",
        "[package]\nname = \"microkit-test\"\nedition = \"2024\"\n",
    );
    bench.file("microkit-test/src/lib.rs", "");
    bench.file("blinker.system", system_text("blinker", "blinker.elf"));
    bench.file("blinker.expected", "x\n");
    bench.system("other");
    bench.file("other.expected", "x\n");

    let program = |sum: u32| {
        let text = format!(
            "fn main() {{}}\n\n#[test]\nfn it_adds_up() -> Result<(), u32> {{\n    \
             if 1 + 1 == {sum} {{ Ok(()) }} else {{ Err({sum}) }}\n}}\n"
        );
        bench.file("src/main.rs", text);
    };
    program(2);
    let parts = ["ok   blinker (host)", "skip blinker (no SDK: "];
    let log = check(bench.microkit(&["test", "blinker.system"]), true, &parts);
    assert!(log.ends_with("\n1 passed, 0 failed, 1 skipped\n"), "{log}");
    let list = check(
        bench.microkit(&["test", "blinker.system", "--list"]),
        true,
        &[],
    );
    assert_eq!(list, "blinker (host)\nblinker (sel4 debug, dev)\n");
    let only_systems = ["test", "blinker.system", "--no-host-tests", "--list"];
    let list = check(bench.microkit(&only_systems), true, &[]);
    assert_eq!(list, "blinker (sel4 debug, dev)\n");
    // The package contains no program of this system.
    let log = check(bench.microkit(&["test", "other.system"]), true, &[]);
    assert!(log.ends_with("0 passed, 0 failed, 1 skipped\n"), "{log}");

    program(3);
    let parts = ["FAIL blinker (host)", "it_adds_up", "Error: 3"];
    let log = check(bench.microkit(&["test", "blinker.system"]), false, &parts);
    assert!(log.ends_with("\n0 passed, 1 failed, 1 skipped\n"), "{log}");
}
