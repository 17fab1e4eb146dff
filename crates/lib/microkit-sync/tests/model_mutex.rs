//! A mutex under loom, with a death after every access.
#![forbid(unsafe_code)]

mod mortal;

use microkit_sync::LockError;
use microkit_sync::layout::{GENERATION, KIND};
use mortal::{
    Mortal, Mutant, Setup, Shared, explore_with, find, find_with, hold, live, recover, spawn,
};

/// The party that dies.
const VICTIM: usize = 0;

/// Takes the lock, counts, and gives it back.
fn use_once(mortal: &Mortal) -> Result<(), LockError> {
    let mut lock = mortal.arena.mutex(0, 0).expect("it is there");
    let acquired = lock.lock(&mortal.party)?;
    let _guard = mortal.enter(acquired)?;
    mortal.count();
    Ok(())
}

/// As [`use_once`], and again if it dies: its parent recovers, and lets it begin anew.
fn with_parties(setup: Setup, parties: usize, second_life: bool) -> bool {
    let shared = Shared::new(setup, parties, 1);
    let victim = spawn(&shared, VICTIM, setup.dies_after, use_once);
    let others: Vec<_> = (1..parties)
        .map(|party| spawn(&shared, party, None, use_once))
        .collect();
    let has_died = victim.join().expect("it dies by itself");
    if has_died {
        recover(&shared, VICTIM);
        if second_life {
            live(&shared, VICTIM, None, use_once);
        }
    }
    for other in others {
        assert!(!other.join().expect("it does not panic"));
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

fn three_and_no_second_life(setup: Setup) -> bool {
    with_parties(setup, 3, false)
}

/// The other party ends the lock once it has had it, and makes another one in its word, which it
/// keeps.
fn reused(setup: Setup) -> bool {
    let shared = Shared::new(setup, 2, 1);
    let victim = spawn(&shared, VICTIM, setup.dies_after, use_once);
    let other = spawn(&shared, 1, None, |mortal| {
        let mut lock = mortal.arena.mutex(0, 0).expect("it is there");
        let acquired = lock.lock(&mortal.party)?;
        drop(mortal.enter(acquired)?);
        if mortal.counters()[0] == 0 {
            // The other has yet to come.
            return Ok(());
        }
        let Ok(generation) = lock.retire(&mortal.party) else {
            return Ok(());
        };
        mortal.arena.close(lock);
        let mut next = mortal.arena.mutex(0, generation).expect("it is there");
        let taken = next.lock(&mortal.party);
        core::mem::forget(
            taken.unwrap_or_else(|error| panic!("the next lock was touched: {error}")),
        );
        Ok(())
    });
    let has_died = victim.join().expect("it dies by itself");
    if has_died {
        recover(&shared, VICTIM);
    }
    other.join().expect("it does not panic");
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
    hold("a mutex, two parties", two, Some(3));
}

#[test]
fn three_parties_of_which_one_dies_after_any_access() {
    hold("a mutex, three parties", three, Some(1));
}

#[test]
fn three_parties_of_which_one_dies_and_does_not_come_again() {
    hold(
        "a mutex, three parties, one life",
        three_and_no_second_life,
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
    hold("a mutex that is reused", reused, Some(3));
}

#[test]
fn a_wake_that_the_dead_did_not_come_to_is_not_lost() {
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
fn an_owner_that_died_inside_and_of_whom_nobody_is_told_is_found() {
    find(Mutant::InconsistentLost, two, &["guards data that is not"]);
}

#[test]
fn a_dead_party_that_is_left_waiting_is_found() {
    find(
        Mutant::WaitingLeft,
        three_and_no_second_life,
        &["deadlock", "the lock is free"],
    );
}

#[test]
fn a_lock_that_was_handed_to_the_dead_is_found() {
    find(
        Mutant::HandedToDead,
        three_and_no_second_life,
        &["deadlock", "the lock is free"],
    );
}

#[test]
fn giving_back_without_an_order_is_found() {
    find(Mutant::NoRelease, two, &[""]);
}
