//! Runs the system on the host, in the kernel's schedule and in every other schedule.

use microkit_test::{Explorer, System};

#[path = "../src/bin/ping.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod ping;
#[path = "../src/bin/pong.rs"]
#[allow(unused_attributes)]
mod pong;

const SYSTEM: &str = "../../microkit-systems/ping-pong.system";

const EXPECTED: &str = include_str!("../../../microkit-systems/ping-pong.expected");

fn system() -> System {
    System::open(SYSTEM)
        .unwrap()
        .program("console.elf", microkit_console::host::protection_domain)
        .program("ping.elf", ping::protection_domain)
        .program("pong.elf", pong::protection_domain)
}

#[test]
fn ping_pong_prints_the_same_as_on_the_target() {
    let mut run = system().start();
    run.until_idle();
    assert_eq!(run.log(), EXPECTED);
}

/// Returns the lines in sorted order. The system does not define which PD prints first.
fn sorted(log: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = log.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn every_schedule_of_ping_pong_prints_the_same_lines() {
    let system = system();
    for explorer in [Explorer::new(&system), Explorer::new(&system).by_priority()] {
        let explored = explorer.check(|run| assert_eq!(sorted(&run.log()), sorted(EXPECTED)));
        println!("{explored}");
        assert!(explored.is_complete());
    }
}
