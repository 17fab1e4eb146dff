//! Tests a mutex under loom, with a death after each access.
#![forbid(unsafe_code)]

mod mortal;

use microkit_sync::LockError;
use microkit_sync::layout::{GENERATION, KIND};
use mortal::{
    Mortal, Mutant, Setup, Shared, check, explore_with, find, find_with, recover, run_party, spawn,
};

/// The party that dies.
const VICTIM: usize = 0;

/// Takes the lock, increments the counters, and releases the lock.
fn use_once(mortal: &Mortal) -> Result<(), LockError> {
    let mut lock = mortal
        .arena
        .mutex(0, 0)
        .expect("the word is free or holds this lock");
    let acquired = lock.lock(&mortal.party)?;
    let _guard = mortal.enter(acquired)?;
    mortal.count();
    Ok(())
}

/// All parties run [`use_once`]. If the victim dies, the parent recovers the victim. The parent
/// also restarts the victim if `restarts` is true.
fn with_parties(setup: Setup, parties: usize, restarts: bool) -> bool {
    let shared = Shared::new(setup, parties, 1);
    let victim = spawn(&shared, VICTIM, setup.dies_after, use_once);
    let others: Vec<_> = (1..parties)
        .map(|party| spawn(&shared, party, None, use_once))
        .collect();
    let has_died = victim.join().expect("the victim does not panic");
    if has_died {
        recover(&shared, VICTIM);
        if restarts {
            run_party(&shared, VICTIM, None, use_once);
        }
    }
    for other in others {
        assert!(!other.join().expect("the party does not panic"));
    }
    shared.assert_counted();
    assert_eq!(shared.word(0) & !(KIND | GENERATION), 0, "the lock is free");
    has_died
}

fn two(setup: Setup) -> bool {
    with_parties(setup, 2, true)
}

fn three(setup: Setup) -> bool {
    with_parties(setup, 3, true)
}

fn three_without_a_restart(setup: Setup) -> bool {
    with_parties(setup, 3, false)
}

/// The other party uses and retires the lock. This party then opens another lock in the same word,
/// and keeps the new lock.
fn reused(setup: Setup) -> bool {
    let shared = Shared::new(setup, 2, 1);
    let victim = spawn(&shared, VICTIM, setup.dies_after, use_once);
    let other = spawn(&shared, 1, None, |mortal| {
        let mut lock = mortal
            .arena
            .mutex(0, 0)
            .expect("the word is free or holds this lock");
        let acquired = lock.lock(&mortal.party)?;
        drop(mortal.enter(acquired)?);
        if mortal.counters()[0] == 0 {
            // The victim has not used the lock yet.
            return Ok(());
        }
        let Ok(generation) = lock.retire(&mortal.party) else {
            return Ok(());
        };
        mortal.arena.close(lock);
        let mut next = mortal
            .arena
            .mutex(0, generation)
            .expect("the word is free or holds this lock");
        let taken = next.lock(&mortal.party);
        core::mem::forget(
            taken.unwrap_or_else(|error| panic!("the next lock was touched: {error}")),
        );
        Ok(())
    });
    let has_died = victim.join().expect("the victim does not panic");
    if has_died {
        recover(&shared, VICTIM);
    }
    other.join().expect("the party does not panic");
    let word = shared.word(0);
    if word & GENERATION != 0 {
        let expect = (1 << GENERATION.trailing_zeros()) | (1 << KIND.trailing_zeros());
        let owned = (2 << 32) | (1 << 37);
        assert_eq!(word, expect | owned, "the next lock was touched");
    }
    has_died
}

#[test]
fn two_parties_of_which_one_dies_after_any_access() {
    check("a mutex, two parties", two, Some(3));
}

#[test]
fn three_parties_of_which_one_dies_after_any_access() {
    check("a mutex, three parties", three, Some(1));
}

#[test]
fn three_parties_of_which_one_dies_and_is_not_restarted() {
    check(
        "a mutex, three parties, no restart",
        three_without_a_restart,
        Some(1),
    );
}

#[test]
fn a_recovery_that_is_stopped_after_any_access_is_repeated() {
    let mut executions = 0;
    for stops_after in 0..8 {
        executions += explore_with(two, Mutant::None, Some(2), Some(stops_after));
    }
    println!("a mutex, two parties, a recovery in two parts: {executions} executions");
}

#[test]
fn a_word_can_be_another_lock_at_once() {
    check("a mutex that is reused", reused, Some(3));
}

#[test]
fn a_wake_that_the_dead_party_did_not_make_is_found() {
    find(Mutant::NoWake, two, &["deadlock"]);
}

#[test]
fn a_recovery_that_cannot_be_repeated_is_found() {
    find_with(Mutant::WakesOnce, two, Some(3), &["deadlock"]);
}

#[test]
fn a_late_clear_is_found() {
    find(Mutant::LateClear, reused, &["the next lock was touched"]);
}

#[test]
fn an_unreported_death_of_an_owner_is_found() {
    find(Mutant::InconsistentLost, two, &["guards data that is not"]);
}

#[test]
fn a_dead_party_that_is_left_waiting_is_found() {
    find(
        Mutant::WaitingLeft,
        three_without_a_restart,
        &["deadlock", "the lock is free"],
    );
}

#[test]
fn a_lock_that_was_handed_to_the_dead_is_found() {
    find(
        Mutant::HandedToDead,
        three_without_a_restart,
        &["deadlock", "the lock is free"],
    );
}

#[test]
fn a_release_without_ordering_is_found() {
    find(Mutant::NoRelease, two, &[""]);
}
