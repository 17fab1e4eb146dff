//! The system on the host, where two of the children are others: a recursion without end would be the
//! end of the test, and a loop without a system call would hang it.

use microkit_test::System;
use sel4_microkit::{Channel, Never, panicking};

#[path = "../src/bin/unruly-parent.rs"]
#[allow(unused_attributes)] // They are those of a crate.
mod parent;
#[path = "../src/bin/unruly-ping.rs"]
#[allow(unused_attributes)]
mod ping;
#[path = "../src/bin/unruly-pong.rs"]
#[allow(unused_attributes)]
mod pong;
#[path = "../src/bin/unruly/main.rs"]
#[allow(unused_attributes)] // They are those of a crate.
mod unruly;

const PARENT: Channel = Channel::new(10);

fn gives_way() -> Never {
    PARENT.notify();
    loop {
        sel4::r#yield();
    }
}

fn ends() -> Never {
    panicking::set_hook(&|_| ());
    PARENT.notify();
    panic!("in place of a stack that is too small")
}

#[test]
fn whatever_children_do_every_word_of_the_others_is_right() {
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
    .protection_domain("loop", gives_way)
    .protection_domain("deep", ends);
    let mut run = system.start();
    // Children use up their budgets, of 1000 microseconds in each 20,000.
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
