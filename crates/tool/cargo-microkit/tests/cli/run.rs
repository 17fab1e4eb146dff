//! Tests the end of a run, and the errors of `run`.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::bench::{BOOT, Bench, VERSION, check};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

/// Runs a system in a fake QEMU. The fake QEMU runs this script.
#[track_caller]
fn run(options: &[&str], qemu: &str, is_success: bool, parts: &[&str]) -> String {
    let bench = Bench::new();
    bench.system("hello");
    let mut command = bench.with_qemu(&["run", "hello.system"], qemu);
    command.args(options);
    check(command, is_success, parts)
}

#[test]
fn without_qemu_the_help_says_how_to_install_it() {
    let bench = Bench::new();
    bench.system("hello");
    let mut command = bench.microkit(&["run", "hello.system", "--no-install", "--sdk"]);
    command
        .arg(bench.sdk(VERSION))
        .env("PATH", bench.path("empty"));
    let parts = [
        "QEMU is not installed",
        "sudo apt-get install qemu-system-arm",
        "brew install",
    ];
    check(command, false, &parts);
}

#[test]
fn qemu_is_installed_if_that_needs_no_password() {
    let bench = Bench::new();
    bench.system("hello");
    let (qemu, place) = (
        bench.qemu("echo installed"),
        bench.path("bin/qemu-system-aarch64"),
    );
    let (qemu, place) = (qemu.display(), place.display());
    bench.script(
        "bin/apt-get",
        &format!("#!/bin/sh\necho \"apt: $*\"\n[ $1 = update ] || ln {qemu} {place}\n"),
    );
    for tool in ["grep", "ln"] {
        let tool_here = which::which(tool).expect("the tool");
        std::os::unix::fs::symlink(tool_here, bench.path("bin").join(tool)).expect("a link");
    }
    let mut command = bench.microkit(&["run", "hello.system", "--sdk"]);
    command
        .arg(bench.sdk(VERSION))
        .env("PATH", bench.path("bin"));
    if rustix::process::geteuid().is_root() {
        let parts = [
            "Installing QEMU",
            "apt: update",
            "apt: install -y qemu-system-arm",
        ];
        assert_eq!(check(command, true, &parts), "installed\n");
    } else {
        check(command, false, &["sudo apt-get install qemu-system-arm"]);
    }
}

#[test]
fn a_run_ends_when_the_awaited_line_comes() {
    let qemu = format!("{BOOT}printf 'hello, world\\r\\n'; printf 'tail'; exec sleep 100");
    let log = run(
        &["--until", "^hello, w", "--timeout", "30"],
        &qemu,
        true,
        &[],
    );
    assert!(
        log.starts_with("LDR|INFO: loader for seL4 starting\n"),
        "{log}"
    );
    assert!(log.contains("started!\nhello, world\n"), "{log}");
    run(&["--until", "^tail$", "--timeout", "30"], &qemu, true, &[]);
    run(&[], "echo 'done'", true, &["done"]);
}

#[test]
fn a_missing_line_is_reported_with_the_last_lines() {
    let qemu = format!("{BOOT}echo 'hello, world'; exec sleep 100");
    let parts = ["2 s", "`never`", "hello, world", "--timeout"];
    run(
        &["--until", "never", "--timeout", "2"],
        &qemu,
        false,
        &parts,
    );
    run(&["--timeout", "2"], &qemu, false, &["2 s", "hello, world"]);
}

#[test]
fn a_fault_is_reported_at_once_and_at_the_end_of_the_run() {
    let qemu = format!(
        "{BOOT}echo 'MON|ERROR: received message 0x6'; echo 'MON|ERROR: faulting PD: crasher'\n\
         echo 'MON|ERROR: VMFault: ip=0x200028'; exec sleep 100"
    );
    let parts = [
        "cargo-microkit: PD `crasher` has faulted",
        "PD `crasher` is dead: VMFault: ip=0x200028",
        "`never`",
    ];
    run(
        &["--until", "never", "--timeout", "2"],
        &qemu,
        false,
        &parts,
    );
}

#[test]
fn a_qemu_that_ends_at_once_is_a_failure() {
    let qemu = "echo 'qemu: could not load image' >&2; exit 1";
    run(
        &[],
        qemu,
        false,
        &["QEMU ended", "exit status: 1", "could not load image"],
    );
    let parts = ["QEMU ended", "`x`", "it printed nothing at all"];
    run(&["--until", "x"], "exit 0", false, &parts);
}

#[test]
fn arguments_reach_qemu_and_bytes_that_are_not_utf8_are_replaced() {
    let log = run(
        &["--icount", "--", "-d", "int"],
        "printf 'a\\377b\\n'; echo \"$@\"",
        true,
        &[],
    );
    assert!(log.contains("a\u{fffd}b\n"), "{log}");
    let arguments = "-display none -monitor none -serial stdio -device loader,file=";
    assert!(log.contains(arguments), "{log}");
    let icount = " -icount shift=0,align=off,sleep=off ";
    assert!(log.contains(icount) && log.ends_with(" -d int\n"), "{log}");
}

#[test]
fn a_board_that_is_not_a_qemu_machine_gets_its_image() {
    let bench = Bench::new();
    bench.system("hello");
    let mut command = bench.microkit(&["run", "hello.system", "--board", "rpi4b_1gb", "--sdk"]);
    command.arg(bench.sdk(VERSION));
    check(
        command,
        false,
        &[
            "`rpi4b_1gb` is not a QEMU machine",
            "hello.img",
            "Microkit manual",
        ],
    );
}

#[test]
fn qemu_does_not_outlive_the_command() {
    let bench = Bench::new();
    bench.system("hello");
    let mut command = bench.with_qemu(&["run", "hello.system"], "echo $$; exec sleep 100");
    let mut microkit = command.stdout(Stdio::piped()).spawn().expect("it starts");
    let mut line = String::new();
    let stdout = microkit.stdout.take().expect("its output");
    BufReader::new(stdout).read_line(&mut line).expect("a line");
    let qemu = Pid::from_raw(line.trim().parse().expect("a number")).expect("not zero");
    test_kill_process(qemu).expect("QEMU runs");
    kill_process(Pid::from_child(&microkit), Signal::TERM).expect("it runs");
    microkit.wait().expect("it ends");
    let end = Instant::now() + Duration::from_secs(5);
    while test_kill_process(qemu).is_ok() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(test_kill_process(qemu).is_err(), "QEMU runs on");
}

#[test]
fn a_kernel_without_debug_output_is_reported_if_nothing_is_printed() {
    let bench = Bench::new();
    bench.system("hello");
    bench.file("hello.expected", "x\n");
    let is_named = |arguments: &[&str], config: &str, is_it: bool| {
        let mut command = bench.with_qemu(arguments, "exec sleep 100");
        command.args(["--config", config]);
        let output = command.output().expect("it runs");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        let note = format!("the kernel configuration `{config}` has no debug output");
        assert_eq!(said.contains(&note), is_it, "{said}");
    };
    let run = ["run", "hello.system", "--until", "x", "--timeout", "1"];
    is_named(&run, "release", true);
    is_named(&run, "debug", false);
    let test = ["test", "hello.system", "--timeout", "1"];
    is_named(&test, "release", true);
    is_named(&test, "debug", false);
    // The remark is printed before the end of the run.
    let mut command = bench.with_qemu(&["run", "hello.system"], "exec sleep 100");
    command.args(["--config", "release", "--timeout", "5"]);
    let parts = ["cargo-microkit: the kernel configuration `release` has no debug output"];
    check(command, false, &parts);
}

/// A script that prints the model kernel's report of a fault.
const DIES: &str =
    "echo 'MODEL|ERROR: hello: read at 0x10, where nothing is mapped (pc 0x200028, s 0x9)'\n";

#[test]
fn a_run_ends_when_every_pd_has_faulted() {
    let ends = |options: &[&str]| {
        let begin = Instant::now();
        let parts = [
            "every PD has faulted",
            "PD `hello` is dead: read at 0x10, where nothing is mapped",
        ];
        let qemu = format!("{BOOT}{DIES}exec sleep 100");
        run(options, &qemu, false, &parts);
        assert!(begin.elapsed() < Duration::from_secs(20));
    };
    ends(&["--until", "never", "--timeout", "60"]);
    ends(&[]);
}

/// Makes a bench with a system of two PDs, `hello` and `other`.
fn two() -> Bench {
    let bench = Bench::new();
    bench.system("hello");
    let pds = ["hello", "other"].map(|name| {
        format!(
            "<protection_domain name=\"{name}\"><program_image path=\"hello.elf\" />\
             </protection_domain>"
        )
    });
    bench.file("hello.system", format!("<system>{}</system>", pds.concat()));
    bench
}

#[test]
fn a_run_goes_on_while_one_pd_has_not_faulted() {
    let qemu = format!("{BOOT}{DIES}sleep 1; echo 'other: it goes on'; exec sleep 100");
    let bench = two();
    let mut command = bench.with_qemu(&["run", "hello.system", "--timeout", "20"], &qemu);
    command.args(["--until", "it goes on"]);
    check(command, true, &[]);
}

#[test]
fn every_end_of_a_run_names_the_pds_that_have_faulted() {
    let bench = two();
    let is_named = |options: &[&str], end: &str| {
        let qemu = format!(
            "{BOOT}echo 'other: panicked at src/bin/other.rs:8:17:'\n\
             echo 'hello: panicked at src/main.rs:3:5:'; echo 'nobody: panicked at x:1:1:'\n\
             echo 'MON|ERROR: faulting PD: hello'; echo 'MON|ERROR: UserException'\n{end}"
        );
        let mut command = bench.with_qemu(&["run", "hello.system"], &qemu);
        let output = command.args(options).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        for part in [
            "PD `hello` is dead: it panicked at src/main.rs:3:5",
            "PD `other` panicked at src/bin/other.rs:8:17; the fault went to its parent",
        ] {
            assert!(said.contains(part), "no `{part}` in:\n{said}");
        }
        assert!(!said.contains("PD `nobody`"), "{said}");
    };
    let until = ["--until", "never", "--timeout", "2"];
    is_named(&until, "exec sleep 100");
    is_named(&until, "exit 1");
    is_named(&until[..2], "sleep 1; kill -INT $PPID; exec sleep 100");
    is_named(&[], "sleep 1; kill -INT $PPID; exec sleep 100");
}
