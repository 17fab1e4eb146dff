//! Runs the system on the host.

use microkit_test::System;

#[path = "../src/bin/user-caps.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
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
fn capabilities_of_the_system_file_behave_as_on_the_target() {
    let mut run = system().start();
    // Each step takes time, so a PD that has run has used time.
    run.set_step_us(1);
    run.until_idle();
    // The lines about caches depend on the address after a region. On the host this address may
    // contain other memory.
    let no_addresses = |text: &str| {
        let lines = text.lines().filter(|line| !line.starts_with("caches of "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let log = no_addresses(&run.log());
    assert_eq!(log.len() + 3, run.log().lines().count());
    assert_eq!(log, no_addresses(EXPECTED));
}
