//! The system on the host. The heap of a host is not the one of `heap_size`: it does not run out.

use microkit_test::System;

#[path = "../src/bin/heap.rs"]
#[allow(unused_attributes)] // They are those of a crate.
mod heap;
#[path = "../src/bin/parent.rs"]
#[allow(unused_attributes)]
mod parent;

const SYSTEM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../microkit-systems/heap.system"
);

const EXPECTED: &str = include_str!("../../../microkit-systems/heap.expected");

fn system() -> System {
    System::open(SYSTEM)
        .unwrap()
        .program("console.elf", microkit_console::host::protection_domain)
        .program("heap.elf", heap::protection_domain)
        .program("parent.elf", parent::protection_domain)
}

#[test]
fn the_heap_example_prints_what_it_prints_until_the_heap_runs_out() {
    let mut run = system().start();
    run.until_idle();
    let first: Vec<&str> = EXPECTED.lines().take(3).collect();
    let log = run.log();
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines[..3], first);
    assert_eq!(lines[3..], ["this is never printed: 65537"]);
}
