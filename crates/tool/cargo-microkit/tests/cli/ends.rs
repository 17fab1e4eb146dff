//! Tests the end of a run in which no PD can run any more, and the reported position of each PD.
//!
//! These tests use a real QEMU with the model kernel, and with seL4 if `MICROKIT_SDK` is set.
//! Without QEMU they print a message and are skipped.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::bench::{Bench, check};
use crate::terminal::Session;
use rustix::process::{Pid, Signal, kill_process_group};

/// The common part of all programs: system calls with the names of the SDK's C header, and a
/// handler loop in a separate function.
const PRELUDE: &str = r#"#![no_std]
#![no_main]
#![allow(non_snake_case, non_upper_case_globals, dead_code)]
use core::arch::asm;
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }
#[unsafe(no_mangle)]
extern "C" fn microkit_syscall(number: i64, capability: u64) {
    unsafe {
        asm!("svc 0", in("x7") number, inout("x0") capability => _, inout("x1") 0_u64 => _,
            in("x6") 4_u64, out("x2") _, out("x3") _, out("x4") _, out("x5") _);
    }
}
const CALL: i64 = -1;
const RECEIVE: i64 = -7;
const WAIT: i64 = -9;
#[unsafe(no_mangle)]
extern "C" fn microkit_handler_loop() { loop { microkit_syscall(RECEIVE, 1) } }
"#;

/// A program that waits for events.
const RESTS: &str = "#[unsafe(no_mangle)] extern \"C\" fn _start() -> ! { \
    microkit_handler_loop(); loop {} }\n";

/// A program that prints a line, then loops without a system call, all in the function `inner`.
const SPINS: &str = r#"#[inline(never)] fn inner() -> ! {
    for byte in *b"spinning\n" {
        unsafe { asm!("svc 0", in("x7") -12_i64, in("x0") u64::from(byte)) }
    }
    loop { unsafe { asm!("nop") } }
}
#[inline(never)] fn outer() -> ! { inner() }
#[unsafe(no_mangle)] extern "C" fn _start() -> ! { outer() }
"#;

/// A program that calls its peer on channel 3.
const CALLS: &str = "#[inline(never)] fn ask() { microkit_syscall(CALL, 74 + 3) }\n\
    #[unsafe(no_mangle)] extern \"C\" fn _start() -> ! { ask(); microkit_handler_loop(); loop {} }\n";

/// A program that waits for a notification before it replies to a call.
const KEEPS_WAITING: &str = "#[inline(never)] fn work() { microkit_syscall(WAIT, 1) }\n\
    #[unsafe(no_mangle)] extern \"C\" fn _start() -> ! { \
    microkit_syscall(RECEIVE, 1); work(); loop {} }\n";

/// A program that halts the kernel.
const HALTS: &str = "#[unsafe(no_mangle)] extern \"C\" fn _start() -> ! { \
    microkit_syscall(-14, 0); loop {} }\n";

/// A program that executes an undefined instruction.
const DIES: &str = "#[unsafe(no_mangle)] extern \"C\" fn _start() -> ! { \
    unsafe { asm!(\"udf #0\") } loop {} }\n";

/// Makes a bench with these programs, compiled for the target of the PDs.
fn bench(programs: &[(&str, &str)]) -> Bench {
    let bench = Bench::new();
    let symbols = microkit_abi::symbols::ALL
        .map(|name| format!("#[used] #[unsafe(no_mangle)] static {name}: [u64; 8] = [1; 8];\n"));
    for (name, program) in programs {
        let source = format!("{PRELUDE}{program}{}", symbols.concat());
        bench.file(&format!("{name}.rs"), source);
        let status = Command::new("rustc")
            .args(["--edition", "2024", "--target", "aarch64-unknown-none"])
            .args(["-Cpanic=abort", "-Cforce-frame-pointers=yes", "-g", "-o"])
            .arg(bench.path(&format!("{name}.elf")))
            .arg(format!("{name}.rs"))
            .current_dir(bench.path(""))
            .status();
        assert!(status.expect("there is a rustc").success());
    }
    bench
}

/// Writes a system file. `(PROGRAM)` in `text` is replaced by a program image element.
fn system(bench: &Bench, text: &str) {
    let mut text = format!("<system>{text}</system>");
    for name in ["rests", "spins", "calls", "keeps-waiting", "halts", "dies"] {
        let image = format!("<program_image path=\"{name}.elf\" />");
        text = text.replace(&format!("({name})"), &image);
    }
    bench.file("x.system", text);
}

/// Returns a `cargo microkit` command for the model kernel. The kernel is built once for all tests.
fn on_model(bench: &Bench, arguments: &[&str]) -> Option<Command> {
    on(bench, arguments, "model")
}

fn on(bench: &Bench, arguments: &[&str], kernel: &str) -> Option<Command> {
    if which::which("qemu-system-aarch64").is_err() {
        eprintln!("SKIPPED: no QEMU was found, so nothing was run");
        return None;
    }
    let (subcommand, rest) = arguments.split_first()?;
    let mut command = bench.microkit(&[subcommand, "x.system", "--kernel", kernel]);
    command.args(rest);
    command.env(
        "CARGO_MICROKIT_HOME",
        concat!(env!("CARGO_TARGET_TMPDIR"), "/home"),
    );
    Some(command)
}

/// Checks the outcome of a run. A time limit of 60 s ensures that the run ends by itself.
#[track_caller]
fn ends(bench: &Bench, arguments: &[&str], is_success: bool, parts: &[&str]) {
    let [Some(build), Some(command)] = [&["build"], arguments].map(|all| on_model(bench, all))
    else {
        return;
    };
    // The build is a separate command, so its time does not count as time of the run.
    check(build, true, &[]);
    let begin = Instant::now();
    check(command, is_success, parts);
    assert!(begin.elapsed() < Duration::from_secs(45));
}

const TWO_REST: &str = "<protection_domain name=\"a\">(rests)</protection_domain>\
    <protection_domain name=\"b\">(rests)</protection_domain>";

#[test]
fn a_run_ends_when_nothing_can_happen_any_more() {
    let bench = bench(&[("rests", RESTS)]);
    system(&bench, TWO_REST);
    let over = "nothing can happen any more";
    ends(&bench, &["run"], true, &[over]);
    let parts = [
        "every PD waits or has stopped, and nothing can wake one any more",
        "`never`",
        "PD `a` waits for an event",
        "PD `b` waits for an event",
    ];
    let until = ["run", "--until", "never", "--timeout", "60"];
    ends(&bench, &until, false, &parts);
    bench.file("x.expected", "spinning\nnever\n");
    ends(&bench, &["test", "--timeout", "60"], false, &parts[2..]);
}

#[test]
fn a_run_ends_when_the_kernel_has_halted() {
    let bench = bench(&[("halts", HALTS)]);
    system(
        &bench,
        "<protection_domain name=\"a\">(halts)</protection_domain>",
    );
    let parts = [
        "the kernel has halted",
        "halted the machine, with DebugHalt",
    ];
    ends(&bench, &["run"], false, &parts);
    bench.file("x.expected", "re:.*halted the machine.*\nnever\n");
    ends(&bench, &["test", "--timeout", "60"], false, &parts);
}

#[test]
fn a_run_goes_on_while_something_can_still_happen() {
    let bench = bench(&[("rests", RESTS)]);
    let times_out = |arguments: &[&str]| {
        let arguments = [&["run", "--timeout", "3"], arguments].concat();
        ends(
            &bench,
            &arguments,
            false,
            &["3 s have passed", "PD `a` waits for an event"],
        );
    };
    // An interrupt of the serial port may still wake the PD.
    system(
        &bench,
        "<protection_domain name=\"a\">(rests)<irq irq=\"33\" id=\"0\" /></protection_domain>",
    );
    times_out(&[]);
    // A user at a monitor, or a debugger, may still change the state.
    system(
        &bench,
        "<protection_domain name=\"a\">(rests)</protection_domain>",
    );
    let sockets = ["monitor", "gdb"].map(|name| bench.path(name).display().to_string());
    times_out(&[
        "--",
        "-monitor",
        &format!("unix:{},server=on,wait=off", sockets[0]),
    ]);
    times_out(&[
        "--",
        "-gdb",
        &format!("unix:{},server=on,wait=off", sockets[1]),
    ]);
}

#[test]
fn each_pd_is_reported_with_its_place_and_what_it_waits_for() {
    let bench = bench(&[
        ("rests", RESTS),
        ("calls", CALLS),
        ("keeps-waiting", KEEPS_WAITING),
        ("dies", DIES),
    ]);
    let channel = "<channel><end pd=\"client\" id=\"3\" pp=\"true\" />\
        <end pd=\"server\" id=\"1\" /></channel>";
    let pds = |server: &str| {
        format!(
            "<protection_domain name=\"client\" priority=\"1\">(calls)</protection_domain>\
             <protection_domain name=\"server\" priority=\"2\">({server})</protection_domain>\
             {channel}"
        )
    };
    let waits = "PD `client` waits for the reply of PD `server` to its protected procedure call on \
                 channel 3, in calls::ask at calls.rs:";
    system(&bench, &pds("keeps-waiting"));
    let parts = [
        waits,
        "PD `server` waits for an event, in keeps_waiting::work at keeps-waiting.rs:",
    ];
    ends(&bench, &["run"], false, &parts);
    // The server faults before the client calls it.
    system(&bench, &pds("dies"));
    let parts = [
        "PD `server` is dead",
        "PD `client` waits until PD `server` receives its protected procedure call on channel 3",
    ];
    ends(&bench, &["run"], false, &parts);
}

/// A system of two PDs. The PD with the higher priority never waits, so the other PD does not run.
const ONE_SPINS: &str = "<protection_domain name=\"low\" priority=\"1\">(rests)</protection_domain>\
    <protection_domain name=\"high\" priority=\"2\">(spins)</protection_domain>";

/// The report on the PDs of [`ONE_SPINS`].
const ONE_RUNS: [&str; 2] = [
    "PD `low` is ready to run, in _start at rests.rs:",
    "PD `high` runs in spins::inner at spins.rs:",
];

#[test]
fn a_time_out_says_which_function_runs() {
    let bench = bench(&[("rests", RESTS), ("spins", SPINS)]);
    system(&bench, ONE_SPINS);
    ends(&bench, &["run", "--timeout", "5"], false, &ONE_RUNS);
    bench.file("x.expected", "spinning\nnever\n");
    ends(&bench, &["test", "--timeout", "5"], false, &ONE_RUNS);
    // The same test also runs on seL4, if there is an SDK.
    let Some(sdk) = std::env::var_os("MICROKIT_SDK").filter(|value| !value.is_empty()) else {
        eprintln!("SKIPPED: MICROKIT_SDK is not set, so nothing was run on seL4");
        return;
    };
    let on_sel4 = |config: &str, parts: &[&str]| {
        let arguments = ["run", "--timeout", "5", "--config", config, "--sdk"];
        if let Some(mut command) = on(&bench, &arguments, "sel4") {
            command.arg(&sdk);
            check(command, false, parts);
        }
    };
    on_sel4("debug", &ONE_RUNS);
    on_sel4(
        "release",
        &["seL4 has a list of its threads only with `--config debug`, and this is `release`"],
    );
}

#[test]
fn ctrl_c_says_where_each_pd_is() {
    let bench = bench(&[("rests", RESTS), ("spins", SPINS)]);
    system(&bench, ONE_SPINS);
    let [Some(build), Some(mut command)] = ["build", "run"].map(|name| on_model(&bench, &[name]))
    else {
        return;
    };
    check(build, true, &[]);
    bench.file("tmp/.keep", "");
    command.env("TMPDIR", bench.path("tmp"));
    let mut session = Session::start(&command);
    // The boot banner is printed before the PDs start.
    session.wait_for("spinning");
    session.press(&[3]);
    assert!(session.wait().success(), "{}", session.shown());
    for part in ONE_RUNS {
        assert!(session.shown().contains(part), "{}", session.shown());
    }
    // The test has no terminal, so it sends the signal of Ctrl-C to the whole process group.
    command.process_group(0).stderr(Stdio::piped());
    let mut run = command.stdout(Stdio::piped()).spawn().expect("it starts");
    let mut log = BufReader::new(run.stdout.take().expect("its output")).lines();
    assert!(log.any(|line| line.is_ok_and(|line| line.contains("spinning"))));
    kill_process_group(Pid::from_child(&run), Signal::INT).expect("it runs");
    let output = run.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    for part in ONE_RUNS {
        assert!(said.contains(part), "{said}");
    }
    let left = fs::read_dir(bench.path("tmp")).expect("the folder").count();
    assert_eq!(left, 1, "the runs left no temporary files");
}
