//! Runs the system `unruly` on the host, with replacements for two of the children. An endless
//! recursion would crash the test, and an endless loop without a system call would hang it.

use microkit_test::System;
use sel4_microkit::{Channel, Never, panicking};

#[path = "../src/bin/unruly-parent.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod parent;
#[path = "../src/bin/unruly-ping.rs"]
#[allow(unused_attributes)]
mod ping;
#[path = "../src/bin/unruly-pong.rs"]
#[allow(unused_attributes)]
mod pong;
#[path = "../src/bin/unruly/main.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod unruly;

const PARENT: Channel = Channel::new(10);

fn yield_forever() -> Never {
    PARENT.notify();
    loop {
        sel4::r#yield();
    }
}

fn end() -> Never {
    panicking::set_hook(&|_| ());
    PARENT.notify();
    panic!("in place of a stack that is too small")
}

#[test]
fn other_pds_get_right_words_while_children_misbehave() {
    let system = System::parse(
        "unruly.system",
        include_str!("../../../../microkit-systems/torture/unruly.system"),
    )
    .unwrap()
    .program("console.elf", microkit_console::host::protection_domain)
    .program("unruly-parent.elf", parent::protection_domain)
    .program("unruly-ping.elf", ping::protection_domain)
    .program("unruly-pong.elf", pong::protection_domain)
    .program("unruly.elf", unruly::protection_domain)
    .protection_domain("loop", yield_forever)
    .protection_domain("deep", end);
    let mut run = system.start();
    // The children have a budget of 1000 microseconds in a period of 20,000.
    run.set_step_us(10);
    let expected = include_str!("../../../../microkit-systems/torture/unruly.expected");
    for _ in 0..1000 {
        run.advance_us(20_000);
        if run.log().lines().count() >= expected.lines().count() {
            break;
        }
    }
    assert_eq!(run.log(), expected);
}
