//! The examples' systems, as they are, on the host.

mod examples;

#[path = "systems/block.rs"]
mod block;
#[path = "systems/instructions.rs"]
mod instructions;
#[path = "systems/others.rs"]
mod others;
#[path = "systems/restarts.rs"]
mod restarts;
#[path = "systems/timer.rs"]
mod timer;

use std::cell::RefCell;
use std::collections::BTreeSet;

use examples::{check_expected, normal, open};
use microkit_test::Explorer;
use sel4_microkit::{Channel, NullHandler, debug_println};

#[test]
fn hello_prints_what_it_prints_on_the_target() {
    check_expected("hello");
}

#[test]
fn ping_pong_prints_what_it_prints_on_the_target() {
    check_expected("ping-pong");
}

#[test]
fn ping_pong_with_calls_prints_what_it_prints_on_the_target() {
    check_expected("ping-pong-call");
}

#[test]
fn ping_pong_with_a_passive_server_prints_what_it_prints_on_the_target() {
    check_expected("ping-pong-passive");
}

#[test]
fn ping_pong_in_shared_memory_prints_what_it_prints_on_the_target() {
    check_expected("ping-pong-memory");
}

#[test]
fn ping_pong_of_the_seed_prints_what_it_prints_on_the_target() {
    check_expected("ping-pong-seed");
}

#[test]
fn a_passive_parent_prints_what_it_prints_on_the_target() {
    check_expected("conformance-passive");
}

#[test]
fn misuse_is_told_in_the_same_words_as_on_the_target() {
    check_expected("misuse");
}

/// The heap of a host is not the one of `heap_size`: it does not run out.
#[test]
fn the_heap_example_prints_what_it_prints_until_the_heap_runs_out() {
    let mut run = open("heap").start();
    run.until_idle();
    let expected = examples::expected("heap");
    let first: Vec<&str> = expected.lines().take(3).collect();
    let log = run.log();
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines[..3], first);
    assert_eq!(lines[3..], ["this is never printed: 65537"]);
}

/// Explores a system, all of whose schedules must print the lines of its `.expected` file, in some
/// order if `in_order` is false.
fn explore(name: &str, in_order: bool) {
    let system = open(name);
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if !in_order {
            lines.sort();
        }
        lines
    };
    let expected = sorted(&examples::expected(name));
    for by_priority in [true, false] {
        let explorer = match by_priority {
            true => Explorer::new(&system).by_priority(),
            false => Explorer::new(&system),
        };
        let explored = explorer.check(|run| assert_eq!(sorted(&normal(&run.log())), expected));
        let order = match by_priority {
            true => "by priority",
            false => "in any order",
        };
        println!("{name}, {order}: {explored}");
        assert!(explored.is_complete());
    }
}

#[test]
fn every_schedule_of_ping_pong() {
    explore("ping-pong", false);
}

#[test]
fn every_schedule_of_ping_pong_with_calls() {
    explore("ping-pong-call", true);
}

#[test]
fn every_schedule_of_ping_pong_with_a_passive_server() {
    explore("ping-pong-passive", true);
}

#[test]
fn every_schedule_of_ping_pong_in_shared_memory() {
    explore("ping-pong-memory", true);
}

/// Schedules that come to one state go on together. That loses none: there are as many as when each
/// is run by itself, and the same logs.
#[test]
fn merging_schedules_loses_none() {
    for name in ["ping-pong-call", "ping-pong-passive"] {
        let system = open(name).protection_domain("ping", talkative);
        let explore = |explorer: Explorer<'_>| {
            let logs = RefCell::new(BTreeSet::new());
            let explored = explorer.allow_stuck().allow_faults().check(|run| {
                logs.borrow_mut().insert(run.log());
            });
            println!("{name}: {explored}");
            (explored, logs.into_inner())
        };
        let (merged, logs) = explore(Explorer::new(&system));
        let (plain, all_logs) = explore(Explorer::new(&system).without_merging());
        assert_eq!(merged.schedules(), plain.schedules());
        assert_eq!(plain.schedules(), Some(plain.runs() as u128));
        assert!(merged.runs() < plain.runs() / 2);
        assert_eq!(logs, all_logs);
    }
}

/// Prints on the console of the kernel, and notifies a server that takes it, or panics.
fn talkative() -> NullHandler {
    for round in 0..3 {
        debug_println!("ping {round}");
        Channel::new(1).notify();
    }
    NullHandler::new()
}
