//! Every order in which all can start, with a death of each at every step.

mod common;

use common::{With, complete, last, system};
use microkit_test::{Explorer, Run};

/// At the end, she knows what is.
fn is_known(run: &Run) {
    let log = run.log();
    assert_eq!(last(&log, "alice"), last(&log, "bell"), "{log}");
    assert!(last(&log, "alice").starts_with("epoch"), "{log}");
}

#[test]
fn whoever_starts_first_the_client_finds_the_service() {
    let with = With {
        bell: true,
        ..With::default()
    };
    complete(Explorer::new(&system(with)).check(is_known));
}

#[test]
fn a_service_dies_at_any_step_and_is_found_again() {
    let with = With {
        bell: true,
        parent: true,
        ..With::default()
    };
    complete(Explorer::new(&system(with)).crash("bell").check(is_known));
}

#[test]
fn the_registry_dies_at_any_step_and_nobody_is_forgotten() {
    let with = With {
        bell: true,
        keeper: true,
        ..With::default()
    };
    complete(
        Explorer::new(&system(with))
            .crash("registry")
            .check(is_known),
    );
}
