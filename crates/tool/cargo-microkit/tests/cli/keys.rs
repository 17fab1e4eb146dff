//! Tests that keys reach the system, and that a run restores the terminal's settings at its end.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::bench::{BOOT, Bench, check};
use crate::terminal::Session;
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::LocalModes;

/// Returns a script that reads `count` bytes and prints the bytes as numbers.
fn prints(count: usize) -> String {
    format!(
        "{BOOT}echo ready; dd bs=1 count={count} 2>/dev/null | od -v -An -tu1; echo end; exec sleep 100"
    )
}

/// Parses the numbers that the script of [`prints`] has printed.
fn numbers(shown: &str) -> Vec<u8> {
    let (_, log) = shown.split_once("ready").expect("the system is ready");
    let (log, _) = log.split_once("end").expect("all has come");
    log.split_whitespace()
        .map(|word| word.parse().expect("a byte"))
        .collect()
}

/// Starts a terminal session with a system in a fake QEMU. The fake QEMU runs this script.
fn start(bench: &Bench, options: &[&str], qemu: &str) -> Session {
    bench.system("hello");
    let mut command = bench.with_qemu(&["run", "hello.system"], qemu);
    command.args(options);
    Session::start(&command)
}

/// The modes of a terminal with line editing.
const COOKED: LocalModes = LocalModes::ICANON
    .union(LocalModes::ISIG)
    .union(LocalModes::ECHO);

#[test]
fn every_key_except_the_escape_key_reaches_the_system() {
    let check = |options: &[&str], escape: u8| {
        let bench = Bench::new();
        let keys: Vec<u8> = (0..=255).filter(|key| *key != escape).collect();
        let mut session = start(&bench, options, &prints(keys.len()));
        session.wait_for("ready");
        assert!(!session.settings().local_modes.intersects(COOKED));
        session.press(&keys);
        session.wait_for("end");
        assert_eq!(numbers(&session.shown()), keys);
        session.press(&[escape]);
        assert!(session.wait().success(), "{}", session.shown());
        assert!(session.settings().local_modes.contains(COOKED));
    };
    check(&[], 3);
    check(&["--escape", "ctrl-]"], 0x1d);
}

#[test]
fn the_terminal_is_restored_however_the_run_ends() {
    let is_restored = |options: &[&str], qemu: &str, end: &dyn Fn(&mut Session)| {
        let bench = Bench::new();
        let mut session = start(&bench, options, qemu);
        session.wait_for("ready");
        end(&mut session);
        session.wait();
        let modes = session.settings().local_modes;
        assert!(modes.contains(COOKED), "{modes:?}:\n{}", session.shown());
    };
    let stays = "echo ready; exec sleep 100";
    for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT] {
        is_restored(&[], stays, &|session| {
            kill_process(Pid::from_child(session.child()), signal).expect("it runs");
        });
    }
    is_restored(&["--until", "ready"], stays, &|_| {});
    is_restored(&["--timeout", "1"], stays, &|_| {});
    is_restored(&[], "echo ready; exit 0", &|_| {});
    is_restored(&[], "echo ready; exit 1", &|_| {});
    is_restored(&[], "echo ready; kill -9 $$", &|_| {});
}

#[test]
fn all_bytes_from_a_pipe_reach_the_system() {
    let bench = Bench::new();
    bench.system("hello");
    let bytes: Vec<u8> = (0..=255).collect();
    let mut command = bench.with_qemu(
        &["run", "hello.system", "--until", "^end$", "--timeout", "10"],
        &prints(bytes.len()),
    );
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut input = child.stdin.take().expect("its input");
    input.write_all(&bytes).expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success());
    assert_eq!(numbers(&String::from_utf8_lossy(&output.stdout)), bytes);
}

/// A serial port loses input until the guest has initialised the port.
#[test]
fn early_input_is_held_back_until_the_system_has_printed() {
    let bench = Bench::new();
    bench.system("hello");
    let loses = "timeout 0.5 cat >/dev/null";
    let check = |boot: &str, options: &[&str]| {
        let qemu = format!(
            "{boot}{loses}; printf 'ready'; dd bs=1 count=3 2>/dev/null; echo; exec sleep 100"
        );
        let mut command = bench.with_qemu(&["run", "hello.system", "--timeout", "9"], &qemu);
        command.args(["--until", "^readyone$"]).args(options);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let mut input = child.stdin.take().expect("its input");
        input.write_all(b"one").expect("it reads");
        assert!(child.wait().expect("it ends").success());
    };
    check(BOOT, &[]);
    check("", &["--config", "release"]);
}

#[test]
fn a_system_that_prints_nothing_gets_input_too() {
    let bench = Bench::new();
    let mut session = start(
        &bench,
        &["--config", "release"],
        "dd bs=1 count=3 2>/dev/null",
    );
    session.wait_for("press Ctrl-C to stop");
    session.press(b"one");
    session.wait_for("one");
    session.wait();
}

#[test]
fn a_background_job_does_not_change_the_terminal() {
    let bench = Bench::new();
    bench.system("hello");
    let microkit = bench.with_qemu(&["run", "hello.system"], "echo ready; exit 0");
    let mut shell = Command::new("sh");
    shell.args(["-c", "set -m; \"$@\" & wait $!; echo ended: $?", "sh"]);
    shell.arg(microkit.get_program()).args(microkit.get_args());
    shell.current_dir(bench.path(""));
    for (name, value) in microkit.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let mut session = Session::start(&shell);
    session.wait_for("ended: 0");
    session.wait();
}

#[test]
fn an_invalid_escape_key_is_refused() {
    let bench = Bench::new();
    bench.system("hello");
    let command = bench.microkit(&["run", "hello.system", "--escape", "x"]);
    check(command, false, &["--escape", "`ctrl-]`"]);
}
