//! The system on the host.

use microkit_test::System;

#[path = "../src/bin/user-caps.rs"]
#[allow(unused_attributes)] // They are those of a crate.
mod user_caps;
#[path = "../src/bin/user-caps-worker.rs"]
#[allow(unused_attributes)]
mod worker;

const SYSTEM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../microkit-systems/user-caps.system"
);

const EXPECTED: &str = include_str!("../../../microkit-systems/user-caps.expected");

fn system() -> System {
    System::open(SYSTEM)
        .unwrap()
        .program("console.elf", microkit_console::host::protection_domain)
        .program("user-caps.elf", user_caps::protection_domain)
        .program("user-caps-worker.elf", worker::protection_domain)
}

#[test]
fn what_capabilities_of_the_system_file_do_is_as_on_the_target() {
    let mut run = system().start();
    // Who has run has used time.
    run.set_step_us(1);
    run.until_idle();
    // Those lines are about addresses behind a region, which on a host are of something else.
    let no_addresses = |text: &str| {
        let lines = text.lines().filter(|line| !line.starts_with("caches of "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let log = no_addresses(&run.log());
    assert_eq!(log.len() + 3, run.log().lines().count());
    assert_eq!(log, no_addresses(EXPECTED));
}
