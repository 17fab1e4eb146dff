//! Tests a condition under loom, with a death after each access.
#![forbid(unsafe_code)]

mod mortal;

use microkit_sync::LockError;
use mortal::{Mortal, Mutant, Setup, Shared, check, find, recover, run_party, spawn};

/// The party that dies.
const VICTIM: usize = 0;

/// Increments the counters, and sends a signal to one waiter.
fn give(mortal: &Mortal) -> Result<(), LockError> {
    let mut lock = mortal
        .arena
        .mutex(0, 0)
        .expect("the word is free or holds this lock");
    let mut given = mortal
        .arena
        .condition(1, 0)
        .expect("the word is free or holds this lock");
    let acquired = lock.lock(&mortal.party)?;
    let guard = mortal.enter(acquired)?;
    mortal.count();
    given.notify_one(&mortal.party)?;
    drop(guard);
    Ok(())
}

/// Waits until a party has incremented the counters.
fn take(mortal: &Mortal) -> Result<(), LockError> {
    let mut lock = mortal
        .arena
        .mutex(0, 0)
        .expect("the word is free or holds this lock");
    let mut given = mortal
        .arena
        .condition(1, 0)
        .expect("the word is free or holds this lock");
    let acquired = lock.lock(&mortal.party)?;
    let mut guard = mortal.enter(acquired)?;
    while mortal.counters()[0] == 0 {
        let acquired = given.wait(guard)?;
        guard = mortal.enter(acquired)?;
    }
    // Pass the signal on to the next waiter.
    given.notify_one(&mortal.party)?;
    drop(guard);
    Ok(())
}

/// Runs a giver and a taker. The giver dies and is restarted.
fn giver_dies(setup: Setup) -> bool {
    let shared = Shared::new(setup, 2, 2);
    let giver = spawn(&shared, VICTIM, setup.dies_after, give);
    let taker = spawn(&shared, 1, None, take);
    let has_died = giver.join().expect("the victim does not panic");
    if has_died {
        recover(&shared, VICTIM);
        run_party(&shared, VICTIM, None, give);
    }
    assert!(!taker.join().expect("the party does not panic"));
    shared.assert_counted();
    has_died
}

/// Runs a giver and two takers. One taker dies, possibly after it has consumed the only signal, and
/// is not restarted.
fn taker_dies(setup: Setup) -> bool {
    let shared = Shared::new(setup, 3, 2);
    let taker = spawn(&shared, VICTIM, setup.dies_after, take);
    let other = spawn(&shared, 1, None, take);
    let giver = spawn(&shared, 2, None, give);
    let has_died = taker.join().expect("the victim does not panic");
    if has_died {
        recover(&shared, VICTIM);
    }
    for thread in [other, giver] {
        assert!(!thread.join().expect("the party does not panic"));
    }
    shared.assert_counted();
    has_died
}

#[test]
fn two_parties_of_which_the_giver_dies_after_any_access() {
    check("a condition, whose giver dies", giver_dies, Some(2));
}

#[test]
fn three_parties_of_which_a_taker_dies_after_any_access() {
    check("a condition, one of whose takers dies", taker_dies, Some(1));
}

#[test]
fn a_lost_signal_of_the_dead_party_is_found() {
    find(Mutant::NoWake, taker_dies, &["deadlock"]);
}
