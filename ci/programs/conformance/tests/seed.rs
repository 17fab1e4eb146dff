//! Runs the system `ping-pong-seed` on the host.

use microkit_test::System;

#[path = "../src/bin/ping-seed.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod ping;
#[path = "../src/bin/pong-seed.rs"]
#[allow(unused_attributes)]
mod pong;

const SYSTEM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../microkit-systems/conformance/ping-pong-seed.system"
);

const EXPECTED: &str =
    include_str!("../../../../microkit-systems/conformance/ping-pong-seed.expected");

fn system() -> System {
    System::open(SYSTEM)
        .unwrap()
        .program("console.elf", microkit_console::host::protection_domain)
        .program("ping-seed.elf", ping::protection_domain)
        .program("pong-seed.elf", pong::protection_domain)
}

#[test]
fn ping_pong_of_the_seed_prints_the_same_as_on_the_target() {
    let mut run = system().start();
    run.until_idle();
    assert_eq!(run.log().replace("tests/../", ""), EXPECTED);
}
