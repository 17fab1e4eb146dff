//! The examples' systems, as they are, on the host.

mod examples;

use examples::{check_expected, normal, open};
use pd_test::Explorer;

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
