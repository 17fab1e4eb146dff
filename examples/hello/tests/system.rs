//! Runs the system on the host, in the kernel's schedule and in every other schedule.

use microkit_test::{Explorer, System};

#[path = "../src/bin/hello.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod hello;

const SYSTEM: &str = "../../microkit-systems/hello.system";

const EXPECTED: &str = include_str!("../../../microkit-systems/hello.expected");

fn system() -> System {
    System::open(SYSTEM)
        .unwrap()
        .program("console.elf", microkit_console::host::protection_domain)
        .program("hello.elf", hello::protection_domain)
}

#[test]
fn hello_prints_the_same_as_on_the_target() {
    let mut run = system().start();
    run.until_idle();
    assert_eq!(run.log(), EXPECTED);
}

#[test]
fn every_schedule_of_hello_prints_the_same() {
    let explored = Explorer::new(&system()).check(|run| assert_eq!(run.log(), EXPECTED));
    println!("{explored}");
    assert!(explored.is_complete());
}
