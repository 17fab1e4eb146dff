//! Runs the system on the host, in the kernel's schedule and in every other schedule.

use microkit_test::{Explorer, System};

#[path = "../src/bin/ping-memory.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod ping;
#[path = "../src/bin/pong-memory.rs"]
#[allow(unused_attributes)]
mod pong;

const SYSTEM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../microkit-systems/ping-pong-memory.system"
);

const EXPECTED: &str = include_str!("../../../microkit-systems/ping-pong-memory.expected");

fn system() -> System {
    System::open(SYSTEM)
        .unwrap()
        .program("console.elf", microkit_console::host::protection_domain)
        .program("ping-memory.elf", ping::protection_domain)
        .program("pong-memory.elf", pong::protection_domain)
}

#[test]
fn ping_pong_in_shared_memory_prints_the_same_as_on_the_target() {
    let mut run = system().start();
    run.until_idle();
    assert_eq!(run.log(), EXPECTED);
}

#[test]
fn every_schedule_of_ping_pong_in_shared_memory_prints_the_same() {
    let system = system();
    for explorer in [Explorer::new(&system), Explorer::new(&system).by_priority()] {
        let explored = explorer.check(|run| assert_eq!(run.log(), EXPECTED));
        println!("{explored}");
        assert!(explored.is_complete());
    }
}
