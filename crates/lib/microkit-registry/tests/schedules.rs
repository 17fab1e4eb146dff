//! Explores every order in which the PDs can start, with a death of the service or the registry at
//! every step.

mod common;

use common::{With, assert_complete, last, system};
use microkit_test::{Explorer, Run};

/// Checks the final state: `alice` has found the current epoch of `bell`.
fn alice_is_up_to_date(run: &Run) {
    let log = run.log();
    assert_eq!(last(&log, "alice"), last(&log, "bell"), "{log}");
    assert!(last(&log, "alice").starts_with("epoch"), "{log}");
}

#[test]
fn the_client_finds_the_service_in_every_order_of_start() {
    let with = With {
        bell: true,
        ..With::default()
    };
    assert_complete(Explorer::new(&system(with)).check(alice_is_up_to_date));
}

#[test]
fn a_service_that_dies_at_any_step_is_found_again() {
    let with = With {
        bell: true,
        parent: true,
        ..With::default()
    };
    assert_complete(
        Explorer::new(&system(with))
            .crash("bell")
            .check(alice_is_up_to_date),
    );
}

#[test]
fn a_registry_that_dies_at_any_step_forgets_no_client() {
    let with = With {
        bell: true,
        keeper: true,
        ..With::default()
    };
    assert_complete(
        Explorer::new(&system(with))
            .crash("registry")
            .check(alice_is_up_to_date),
    );
}
