//! Runs the system on the host, in the kernel's schedule and in every other schedule.

use microkit_sessions::Connection;
use microkit_test::{Explorer, System};
use sel4_microkit::{Channel, NullHandler, debug_println, pd_name};
use sums_protocol::SumsClient;

#[path = "../src/bin/sums-client.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod client;
#[path = "../src/bin/sums-server.rs"]
#[allow(unused_attributes)]
mod server;

const SYSTEM: &str = "../../microkit-systems/sums.system";

const SERVER: Channel = Channel::new(1);

const EXPECTED: &str = include_str!("../../../microkit-systems/sums.expected");

fn system() -> System {
    System::open(SYSTEM)
        .unwrap()
        .program("console.elf", microkit_console::host::protection_domain)
        .program("sums-server.elf", server::protection_domain)
        .program("sums-client.elf", client::protection_domain)
}

/// Returns the lines of a PD.
fn lines_of<'a>(log: &'a str, pd: &str) -> Vec<&'a str> {
    log.lines().filter(|line| line.starts_with(pd)).collect()
}

#[test]
fn the_system_prints_the_same_as_on_the_target() {
    let mut run = system().start();
    run.until_idle();
    assert_eq!(run.log(), EXPECTED);
}

/// Opens a sum, adds to the sum, and closes the sum. This client makes few calls, so the explorer
/// can try all schedules.
fn short_client() -> NullHandler {
    let server = Connection::connect(SERVER).expect("the server has sessions");
    let sums = SumsClient::connect(SERVER).expect("both were built with the same protocol");
    let sum = server.open(|| sums.open()).expect("there is room");
    let result = sums.add(sum.id(), 5);
    debug_println!("{}: {result:?}", pd_name().unwrap_or("?"));
    NullHandler::new()
}

#[test]
fn each_client_has_its_own_sum_in_every_schedule() {
    let system = system().program("sums-client.elf", short_client);
    let explored = Explorer::new(&system).check(|run| {
        let log = run.log();
        assert_eq!(lines_of(&log, "ada"), ["ada: Ok(5)"]);
        assert_eq!(lines_of(&log, "bob"), ["bob: Ok(5)"]);
        assert_eq!(log.matches("closes 5").count(), 2, "{log}");
    });
    println!("{explored}");
    assert!(explored.is_complete());
}

#[test]
fn a_client_that_dies_anywhere_does_not_harm_the_other() {
    let system = system();
    let explored = Explorer::new(&system)
        .by_priority()
        .crash("ada")
        .allow_faults()
        .check(|run| assert_eq!(lines_of(&run.log(), "bob"), lines_of(EXPECTED, "bob")));
    println!("{explored}");
    assert!(explored.is_complete());
}
