//! The system `faults` on the host, where the instructions of the children run one by one.

use conformance::host::Instructions;
use microkit_test::System;

#[path = "../src/bin/faults/main.rs"]
#[allow(unused_attributes)] // They are those of a crate.
mod faults;
#[path = "../src/bin/faults-watchdog.rs"]
#[allow(unused_attributes)]
mod watchdog;

/// After how many instructions a loop is interrupted.
const BURST: u64 = 100;

const SYSTEM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../microkit-systems/conformance/faults.system"
);

const EXPECTED: &str = include_str!("../../../../microkit-systems/conformance/faults.expected");

fn system() -> System {
    System::open(SYSTEM)
        .unwrap()
        .program("console.elf", microkit_console::host::protection_domain)
        .program("faults.elf", faults::protection_domain)
        .program("faults-watchdog.elf", watchdog::protection_domain)
}

#[test]
fn whoever_faults_goes_on_as_on_the_target() {
    let system = system().processor("conformance-puppet.elf", || Instructions::at_most(BURST));
    let mut run = system.start();
    // The budget of the one that takes too long is 2000 microseconds.
    run.set_step_us(10);
    for _ in 0..10 {
        run.advance_us(20_000);
    }
    assert_eq!(run.log(), EXPECTED);
}
