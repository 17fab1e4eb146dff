//! A condition under loom, with a death after every access.
#![forbid(unsafe_code)]

mod mortal;

use microkit_sync::LockError;
use mortal::{Mortal, Mutant, Setup, Shared, find, hold, live, recover, spawn};

/// The party that dies.
const VICTIM: usize = 0;

/// Counts, and says so to one of those that wait.
fn give(mortal: &Mortal) -> Result<(), LockError> {
    let mut lock = mortal.arena.mutex(0, 0).expect("it is there");
    let mut given = mortal.arena.condition(1, 0).expect("it is there");
    let acquired = lock.lock(&mortal.party)?;
    let guard = mortal.enter(acquired)?;
    mortal.count();
    given.notify_one(&mortal.party)?;
    drop(guard);
    Ok(())
}

/// Waits until anybody has counted.
fn take(mortal: &Mortal) -> Result<(), LockError> {
    let mut lock = mortal.arena.mutex(0, 0).expect("it is there");
    let mut given = mortal.arena.condition(1, 0).expect("it is there");
    let acquired = lock.lock(&mortal.party)?;
    let mut guard = mortal.enter(acquired)?;
    while mortal.counters()[0] == 0 {
        let acquired = given.wait(guard)?;
        guard = mortal.enter(acquired)?;
    }
    // There is enough for the next.
    given.notify_one(&mortal.party)?;
    drop(guard);
    Ok(())
}

/// The one that gives dies, and is let begin anew.
fn giver_dies(setup: Setup) -> bool {
    let shared = Shared::new(setup, 2, 2);
    let giver = spawn(&shared, VICTIM, setup.dies_after, give);
    let taker = spawn(&shared, 1, None, take);
    let has_died = giver.join().expect("it dies by itself");
    if has_died {
        recover(&shared, VICTIM);
        live(&shared, VICTIM, None, give);
    }
    assert!(!taker.join().expect("it does not panic"));
    shared.assert_counted();
    has_died
}

/// One of two that take dies, perhaps with the only signal, and does not come again.
fn taker_dies(setup: Setup) -> bool {
    let shared = Shared::new(setup, 3, 2);
    let taker = spawn(&shared, VICTIM, setup.dies_after, take);
    let other = spawn(&shared, 1, None, take);
    let giver = spawn(&shared, 2, None, give);
    let has_died = taker.join().expect("it dies by itself");
    if has_died {
        recover(&shared, VICTIM);
    }
    for thread in [other, giver] {
        assert!(!thread.join().expect("it does not panic"));
    }
    shared.assert_counted();
    has_died
}

#[test]
fn two_parties_of_which_the_one_that_gives_dies_after_any_access() {
    hold("a condition, whose giver dies", giver_dies, Some(2));
}

#[test]
fn three_parties_of_which_one_that_takes_dies_after_any_access() {
    hold("a condition, one of whose takers dies", taker_dies, Some(1));
}

#[test]
fn a_signal_that_the_dead_has_taken_is_not_lost() {
    find(Mutant::NoWake, taker_dies, &["deadlock"]);
}
