//! Tests programs that draw with escape codes: their output in reports, and the restored terminal.

use crate::bench::{BOOT, Bench, check};
use crate::terminal::Session;

/// A script that clears the screen, hides the cursor, and draws in colours. The script's last line
/// has no newline.
const DRAWS: &str =
    "printf '\\033[?1049h\\033[?25l\\033[2J\\033[31mred\\n\\033]0;title\\007\\033[5;5H#'\n";

#[test]
fn a_report_shows_escape_codes_and_does_not_send_them() {
    let bench = Bench::new();
    bench.system("hello");
    let is_shown = |arguments: &[&str], qemu: &str, parts: &[&str]| {
        let mut command = bench.with_qemu(arguments, &format!("{BOOT}{qemu}"));
        let output = command.output().expect("it runs");
        let text = match arguments[0] {
            "test" => output.stdout,
            _ => output.stderr, // Standard output has the unchanged log.
        };
        let text = String::from_utf8_lossy(&text).into_owned();
        assert!(!output.status.success(), "{text}");
        assert!(!text.contains(['\x1b', '\x07', '\x08']), "{text:?}");
        for part in parts {
            assert!(text.contains(part), "no `{part}` in:\n{text}");
        }
    };
    let red = "\\x1b[?1049h\\x1b[?25l\\x1b[2J\\x1b[31mred";
    let test = ["test", "hello.system", "--timeout", "2"];
    let draws = format!("{DRAWS}exec sleep 100");
    bench.file("hello.expected", "blue\n");
    is_shown(&test, &draws, &["- blue", red]);
    bench.file("hello.expected", "re:.*red\nre:.*end\n");
    is_shown(&test, &draws, &[red, "\\x1b]0;title\\x07\\x1b[5;5H#"]);
    let run = ["run", "hello.system", "--until", "never", "--timeout", "2"];
    is_shown(&run, &draws, &["the last lines were", red, "\\x1b[5;5H#"]);

    // Fault reports and QEMU's messages can contain text of the system too.
    let fault = "printf 'MON|ERROR: faulting PD: \\033[2Jx\\n'; exit 0";
    is_shown(&run, fault, &["PD `\\x1b[2Jx` has faulted"]);
    is_shown(
        &run,
        "printf 'qemu: \\033[2J!\\n' >&2; exit 1",
        &["qemu: \\x1b[2J!"],
    );
    bench.file("hello.expected", "x\n");
    is_shown(
        &test,
        "printf 'qemu: \\033[2J!\\n' >&2; exit 1",
        &["printed `qemu: \\x1b[2J!`"],
    );
}

#[test]
fn the_terminal_is_restored_after_a_program_that_draws() {
    let bench = Bench::new();
    bench.system("hello");
    let mut session = Session::start(&bench.with_qemu(
        &["run", "hello.system", "--timeout", "2"],
        &format!("{DRAWS}exec sleep 100"),
    ));
    session.wait();
    let shown = session.shown();
    let after = shown.split_once('#').expect("the drawing").1;
    for code in ["\x1b[?1049l", "\x1b[?25h", "\x1b[0m"] {
        let at = after.find(code);
        let report = after.find("2 s have passed").expect("the report");
        assert!(at.is_some_and(|at| at < report), "{code:?}: {after:?}");
    }
}

#[test]
fn nothing_is_added_to_a_log_that_is_not_on_a_terminal() {
    let bench = Bench::new();
    bench.system("hello");
    let command = bench.with_qemu(&["run", "hello.system"], &format!("{BOOT}{DRAWS}exit 0"));
    let log = check(command, true, &[]);
    assert!(log.ends_with("\x1b]0;title\x07\x1b[5;5H#\n"), "{log:?}");
}
