//! Runs the system `restarts` on the host.

use microkit_test::System;

#[path = "../src/bin/restarts-child.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod child;
#[path = "../src/bin/restarts-parent.rs"]
#[allow(unused_attributes)]
mod parent;
#[path = "../src/bin/restarts-ping.rs"]
#[allow(unused_attributes)]
mod ping;
#[path = "../src/bin/restarts-pong.rs"]
#[allow(unused_attributes)]
mod pong;

const SYSTEM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../microkit-systems/torture/restarts.system"
);

const EXPECTED: &str = include_str!("../../../../microkit-systems/torture/restarts.expected");

fn system() -> System {
    System::open(SYSTEM)
        .unwrap()
        .program("console.elf", microkit_console::host::protection_domain)
        .program("restarts-child.elf", child::protection_domain)
        .program("restarts-parent.elf", parent::protection_domain)
        .program("restarts-ping.elf", ping::protection_domain)
        .program("restarts-pong.elf", pong::protection_domain)
}

/// The statics of the child belong to the test and survive a restart. So each later incarnation
/// reports the statics. A report must name no other state of an earlier incarnation.
#[test]
fn ten_thousand_restarts_lose_no_call_and_no_notification() {
    let mut run = system().start();
    run.until_idle();
    let log = run.log();
    let statics = "parent: the child has found 0x909";
    let (found, rest): (Vec<&str>, Vec<&str>) = log.lines().partition(|line| *line == statics);
    assert!(found.len() > 9000, "{}", found.len());
    assert_eq!(rest, EXPECTED.lines().collect::<Vec<_>>());
}
