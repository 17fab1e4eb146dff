//! Runs the system on the host, where the kernel does not measure.

use microkit_test::System;

#[path = "../src/bin/utilisation.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod utilisation;

const SYSTEM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../microkit-systems/utilisation.system"
);

const EXPECTED: &str = include_str!("../../../microkit-systems/utilisation.expected");

fn system() -> System {
    System::open(SYSTEM)
        .unwrap()
        .program("console.elf", microkit_console::host::protection_domain)
        .program("utilisation.elf", utilisation::protection_domain)
}

#[test]
fn a_kernel_that_does_not_measure_answers_as_on_the_target() {
    let mut run = system().start();
    run.until_idle();
    assert_eq!(run.log(), EXPECTED);
}
