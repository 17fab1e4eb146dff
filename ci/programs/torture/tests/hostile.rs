//! Runs the system `hostile` on the host, with an interpreter of the children's instructions.

use conformance::host::Instructions;
use microkit_test::System;

#[path = "../src/bin/hostile.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod hostile;
#[path = "../src/bin/hostile-ping.rs"]
#[allow(unused_attributes)]
mod ping;
#[path = "../src/bin/hostile-pong.rs"]
#[allow(unused_attributes)]
mod pong;

/// The number of instructions after which a loop is interrupted.
const BURST: u64 = 100;

const SYSTEM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../microkit-systems/torture/hostile.system"
);

const EXPECTED: &str = include_str!("../../../../microkit-systems/torture/hostile.expected");

fn system() -> System {
    System::open(SYSTEM)
        .unwrap()
        .program("console.elf", microkit_console::host::protection_domain)
        .program("hostile.elf", hostile::protection_domain)
        .program("hostile-ping.elf", ping::protection_domain)
        .program("hostile-pong.elf", pong::protection_domain)
}

#[test]
fn other_pds_do_their_work_while_children_run_random_instructions() {
    let system = system().processor("conformance-puppet.elf", || Instructions::at_most(BURST));
    let mut run = system.start();
    // An endless loop runs until its budget is used up, so steps take time.
    run.set_step_us(10);
    for _ in 0..1000 {
        run.advance_us(10_000);
        if run.log().lines().count() >= EXPECTED.lines().count() {
            break;
        }
    }
    assert_eq!(run.log(), EXPECTED);
}
