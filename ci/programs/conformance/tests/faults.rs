//! Runs the system `conformance-faults` on the host, with the model kernel and an interpreter of
//! the puppets' instructions.

use conformance::host::Instructions;
use microkit_test::System;

#[path = "../src/bin/conformance-faults/main.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod conformance_faults;

#[test]
fn the_log_is_the_same_as_on_the_target() {
    let system = System::parse(
        "conformance-faults.system",
        include_str!("../../../../microkit-systems/conformance/conformance-faults.system"),
    )
    .unwrap()
    .program(
        "conformance-faults.elf",
        conformance_faults::protection_domain,
    )
    .program("console.elf", microkit_console::host::protection_domain)
    .processor("conformance-puppet.elf", Instructions::new);
    let mut run = system.start();
    run.until_idle();
    let expected =
        include_str!("../../../../microkit-systems/conformance/conformance-faults.expected");
    for (line, (log, expected)) in run.log().lines().zip(expected.lines()).enumerate() {
        assert_eq!(log, expected, "line {}", line + 1);
    }
    assert_eq!(run.log().lines().count(), expected.lines().count());
}
