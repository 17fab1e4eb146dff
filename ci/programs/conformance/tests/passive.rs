//! Runs the system `conformance-passive` on the host.

use microkit_test::System;

#[path = "../src/bin/conformance-child.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod child;
#[path = "../src/bin/conformance-passive.rs"]
#[allow(unused_attributes)]
mod parent;

const SYSTEM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../microkit-systems/conformance/conformance-passive.system"
);

const EXPECTED: &str =
    include_str!("../../../../microkit-systems/conformance/conformance-passive.expected");

fn system() -> System {
    System::open(SYSTEM)
        .unwrap()
        .program("console.elf", microkit_console::host::protection_domain)
        .program("conformance-child.elf", child::protection_domain)
        .program("conformance-passive.elf", parent::protection_domain)
}

#[test]
fn a_passive_parent_prints_the_same_as_on_the_target() {
    let mut run = system().start();
    run.until_idle();
    assert_eq!(run.log(), EXPECTED);
}
