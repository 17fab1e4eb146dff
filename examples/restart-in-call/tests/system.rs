//! Runs the system on the host. The tests also kill a server at each of its steps, not only at the
//! panics of its program.

use microkit_test::{Explorer, System};

#[path = "../src/bin/restart-in-call-client.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod client;
#[path = "../src/bin/restart-in-call-parent.rs"]
#[allow(unused_attributes)]
mod parent;
#[path = "../src/bin/restart-in-call-server.rs"]
#[allow(unused_attributes)]
mod server;

const EXPECTED: &str = include_str!("../../../microkit-systems/restart-in-call.expected");

fn system() -> System {
    System::parse(
        "restart-in-call.system",
        include_str!("../../../microkit-systems/restart-in-call.system"),
    )
    .unwrap()
    .program("console.elf", microkit_console::host::protection_domain)
    .program("restart-in-call-client.elf", client::protection_domain)
    .program("restart-in-call-parent.elf", parent::protection_domain)
    .program("restart-in-call-server.elf", server::protection_domain)
}

/// Returns the lines of the client, which contain the results.
fn of_client(log: &str) -> Vec<&str> {
    let lines = log.lines();
    lines.filter(|line| line.starts_with("client: ")).collect()
}

#[test]
fn the_client_continues_after_each_server_has_died_in_its_call() {
    let mut run = system().start();
    run.until_idle();
    assert_eq!(of_client(&run.log()), of_client(EXPECTED));
}

/// The server may die in the initialisation, between two calls, in a call, or after the reply.
/// Explores only schedules that the priorities allow: the parent must read the entry points before
/// the servers run.
#[track_caller]
fn dies_anywhere(server: &str) {
    let system = system();
    let explored = Explorer::new(&system)
        .by_priority()
        .crash(server)
        .check(|run| {
            let log = run.log();
            let lines = of_client(&log);
            assert_eq!(lines.last(), Some(&"client: every call returned"), "{log}");
            assert_eq!(lines.len(), of_client(EXPECTED).len(), "{log}");
        });
    println!("{explored}");
    assert!(explored.is_complete());
    assert!(explored.schedules() > Some(10));
}

#[test]
fn wherever_front_dies_every_call_returns() {
    dies_anywhere("front");
}

#[test]
fn wherever_back_dies_every_call_returns() {
    dies_anywhere("back");
}
