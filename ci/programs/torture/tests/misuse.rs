//! Runs the system `misuse` on the host.

use microkit_test::System;

#[path = "../src/bin/misuse.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod misuse;
#[path = "../src/bin/misuse-parent.rs"]
#[allow(unused_attributes)]
mod parent;

const SYSTEM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../microkit-systems/torture/misuse.system"
);

const EXPECTED: &str = include_str!("../../../../microkit-systems/torture/misuse.expected");

fn system() -> System {
    System::open(SYSTEM)
        .unwrap()
        .program("console.elf", microkit_console::host::protection_domain)
        .program("misuse.elf", misuse::protection_domain)
        .program("misuse-parent.elf", parent::protection_domain)
}

#[test]
fn misuse_is_reported_in_the_same_words_as_on_the_target() {
    let mut run = system().start();
    run.until_idle();
    assert_eq!(run.log().replace("tests/../", ""), EXPECTED);
}
