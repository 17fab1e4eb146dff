//! Parents that give their children instructions, which run one by one.

use conformance::host::Instructions;

use crate::examples::{expected, open};

/// After how many instructions a loop is interrupted.
const BURST: u64 = 100;

#[test]
fn whoever_faults_goes_on_as_on_the_target() {
    let system =
        open("faults").processor("conformance-puppet.elf", || Instructions::at_most(BURST));
    let mut run = system.start();
    // The budget of the one that takes too long is 2000 microseconds.
    run.set_step_us(10);
    for _ in 0..10 {
        run.advance_us(20_000);
    }
    assert_eq!(run.log(), expected("faults"));
}

#[test]
fn whatever_children_run_wild_the_others_do_their_work() {
    let system =
        open("hostile").processor("conformance-puppet.elf", || Instructions::at_most(BURST));
    let mut run = system.start();
    // A loop without end lasts until the budget is used up.
    run.set_step_us(10);
    let expected = expected("hostile");
    for _ in 0..1000 {
        run.advance_us(10_000);
        if run.log().lines().count() >= expected.lines().count() {
            break;
        }
    }
    assert_eq!(run.log(), expected);
}

#[test]
fn what_capabilities_of_the_system_file_do_is_as_on_the_target() {
    let mut run = open("user-caps").start();
    // Who has run has used time.
    run.set_step_us(1);
    run.until_idle();
    // Those lines are about addresses behind a region, which on a host are of something else.
    let no_addresses = |text: &str| {
        let lines = text.lines().filter(|line| !line.starts_with("caches of "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let log = no_addresses(&run.log());
    assert_eq!(log.len() + 3, run.log().lines().count());
    assert_eq!(log, no_addresses(&expected("user-caps")));
}
