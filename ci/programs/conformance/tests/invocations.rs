//! Runs the system `conformance-invocations` on the host, with the model kernel and an interpreter
//! of the puppets' instructions.

use conformance::host::Instructions;
use microkit_test::System;

#[path = "../src/bin/conformance-invocations/main.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod conformance_invocations;

#[test]
fn the_log_is_the_same_as_on_the_target() {
    let system = System::parse(
        "conformance-invocations.system",
        include_str!("../../../../microkit-systems/conformance/conformance-invocations.system"),
    )
    .unwrap()
    .program(
        "conformance-invocations.elf",
        conformance_invocations::protection_domain,
    )
    .program("console.elf", microkit_console::host::protection_domain)
    .processor("conformance-puppet.elf", Instructions::new);
    let mut run = system.start();
    // The program checks whether a thread has used time, so steps take time.
    run.set_step_us(10);
    run.until_idle();
    let expected =
        include_str!("../../../../microkit-systems/conformance/conformance-invocations.expected");
    for (line, (log, expected)) in run.log().lines().zip(expected.lines()).enumerate() {
        assert_eq!(log, expected, "line {}", line + 1);
    }
    assert_eq!(run.log().lines().count(), expected.lines().count());
}
