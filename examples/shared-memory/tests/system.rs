//! Runs the system on the host: without kills as on the target, and with the client or the server
//! killed before each of its steps.

use std::sync::atomic::Ordering;

use microkit_test::{Explorer, Run, System};

#[path = "../src/bin/sharing-client.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod client;
#[path = "../src/bin/sharing-parent.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod parent;
#[path = "../src/bin/sharing-server.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod server;

const SYSTEM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../microkit-systems/shared-memory.system"
);

fn system() -> System {
    System::open(SYSTEM)
        .unwrap()
        .program("console.elf", microkit_console::host::protection_domain)
        .program("sharing-parent.elf", parent::protection_domain)
        .program("sharing-client.elf", client::protection_domain)
        .program("sharing-server.elf", server::protection_domain)
}

#[test]
fn the_programs_print_the_same_as_on_the_target() {
    let mut run = system().start();
    run.until_idle();
    let expected = include_str!("../../../microkit-systems/shared-memory.expected");
    assert_eq!(run.log(), expected);
}

/// Checks the result of a run, regardless of the kill. Every buffer of the client's last
/// incarnation came back with capital letters, and an ended lease is refused.
fn check(run: &Run) {
    let log = run.log();
    if log.contains("client: done") {
        assert!(log.contains("client: NOTHING WAS LOST\n"), "{log}");
        assert!(log.contains("earlier incarnation: Err(Ended)\n"), "{log}");
    }
    for line in log
        .lines()
        .filter(|line| line.starts_with("client: the lease of the earlier incarnation: "))
    {
        let ended = ["Ok(Err(Ended))", "Err(Nothing)", "Err(Busy)"];
        assert!(ended.iter().any(|end| line.ends_with(end)), "{log}");
    }
}

/// Kills `name` before step `number` of this PD, and runs the system until it is idle. Returns
/// `None` if the system is idle before that step.
fn killed(system: &System, name: &str, number: usize) -> Option<Run> {
    /// More steps than any run has.
    const STEPS: usize = 20_000;
    let mut run = system.start();
    let mut left = number;
    loop {
        let is_next = run.can_run().first() == Some(&name);
        if is_next && left == 0 {
            break;
        }
        left -= usize::from(is_next);
        if !run.step() {
            return None;
        }
    }
    run.kill(name);
    for _ in 0..STEPS {
        if !run.step() {
            return Some(run);
        }
    }
    panic!("the system does not become idle:\n{}", run.log())
}

/// Kills the client before each of its steps. Asserts that it restarts and finishes its work.
#[test]
fn a_client_that_dies_before_any_step_continues_in_its_next_incarnation() {
    let system = system();
    let mut runs = 0;
    while let Some(run) = killed(&system, "client", runs) {
        check(&run);
        let log = run.log();
        // A client that dies after its work does the work again.
        assert!(
            log.contains("client: done"),
            "killed before step {runs}:\n{log}"
        );
        runs += 1;
    }
    println!("{runs} runs");
    assert!(runs > 200, "{runs}");
}

/// Kills the server before each of its steps. After a death in a call, the caller may get no reply.
/// Otherwise, asserts that the client finishes its work.
#[test]
fn a_server_that_dies_before_any_step_serves_in_its_next_incarnation() {
    const SERVER: usize = 1;
    let system = system();
    let (mut runs, mut in_calls) = (0, 0);
    while let Some(run) = killed(&system, "server", runs) {
        check(&run);
        let log = run.log();
        if !log.contains("client: done") {
            let last = run.calls("client").last().and_then(|call| call.calls());
            assert_eq!(last, Some(SERVER), "killed before step {runs}:\n{log}");
            in_calls += 1;
        }
        runs += 1;
    }
    println!("{runs} runs, {in_calls} in a call");
    assert!(runs > 200 && in_calls < runs / 2, "{runs} {in_calls}");
}

#[test]
fn both_may_die_in_one_run() {
    let system = system();
    let explored = Explorer::new(&system)
        .by_priority()
        .crash("client")
        .crash("server")
        .max_runs(100)
        .samples(200, 1)
        .check(check);
    println!("{explored}");
}

/// Asserts that each incarnation increments the epoch in the client's region.
#[test]
fn each_incarnation_has_its_own_epoch() {
    let mut run = system().start();
    run.until_idle();
    let word = run.region("client", "client")[0].load(Ordering::Relaxed);
    assert_eq!(word >> 40, 2);
}
