//! Runs the system on the host.

use microkit_test::{Explorer, System};

#[path = "../src/bin/passive-child.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod child;
#[path = "../src/bin/passive-client.rs"]
#[allow(unused_attributes)]
mod client;
#[path = "../src/bin/passive-parent.rs"]
#[allow(unused_attributes)]
mod parent;

const SYSTEM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../microkit-systems/passive-child.system"
);

const EXPECTED: &str = include_str!("../../../microkit-systems/passive-child.expected");

fn system() -> System {
    System::open(SYSTEM)
        .unwrap()
        .program("console.elf", microkit_console::host::protection_domain)
        .program("passive-child.elf", child::protection_domain)
        .program("passive-client.elf", client::protection_domain)
        .program("passive-parent.elf", parent::protection_domain)
}

#[test]
fn a_passive_child_is_stopped_and_restarted_as_on_the_target() {
    let mut run = system().start();
    run.until_idle();
    assert_eq!(run.log(), EXPECTED);
}

/// Explores only schedules that the priorities allow: the parent must read the child's entry point
/// before the child runs.
#[test]
fn a_passive_child_counts_from_one_in_each_incarnation_wherever_its_client_dies() {
    let system = system();
    let explored = Explorer::new(&system)
        .by_priority()
        .crash("client")
        .allow_faults()
        .check(|run| assert!(EXPECTED.starts_with(&run.log()), "{}", run.log()));
    println!("{explored}");
    assert!(explored.is_complete());
    assert!(explored.schedules() > Some(10));
}
