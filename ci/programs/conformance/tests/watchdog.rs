//! Runs the system `faults` on the host, with an interpreter of the children's instructions.

use conformance::host::Instructions;
use microkit_test::System;

#[path = "../src/bin/faults/main.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod faults;
#[path = "../src/bin/faults-watchdog.rs"]
#[allow(unused_attributes)]
mod watchdog;

/// The number of instructions after which a loop is interrupted.
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
fn each_faulting_child_continues_as_on_the_target() {
    let system = system().processor("conformance-puppet.elf", || Instructions::at_most(BURST));
    let mut run = system.start();
    // The child that takes too long has a budget of 2000 microseconds.
    run.set_step_us(10);
    for _ in 0..10 {
        run.advance_us(20_000);
    }
    assert_eq!(run.log(), EXPECTED);
}
