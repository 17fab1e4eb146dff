//! Runs the system on the host. `heap_size` has no effect there, because programs use the heap of
//! the host. That heap is not exhausted.

use microkit_test::System;

#[path = "../src/bin/heap.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
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
fn the_heap_example_prints_the_same_as_on_the_target_until_the_heap_is_exhausted() {
    let mut run = system().start();
    run.until_idle();
    let first: Vec<&str> = EXPECTED.lines().take(3).collect();
    let log = run.log();
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines[..3], first);
    assert_eq!(lines[3..], ["this is never printed: 65537"]);
}
