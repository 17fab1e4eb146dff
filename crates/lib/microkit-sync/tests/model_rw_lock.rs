//! Tests a readers-writer lock under loom, with a death after each access.
#![forbid(unsafe_code)]

mod mortal;

use microkit_sync::layout::{GENERATION, KIND, TURN};
use microkit_sync::{Acquired, LockError};
use mortal::{Mortal, Mutant, Setup, Shared, check, explore_with, find, recover, run_party, spawn};

/// The party that dies.
const VICTIM: usize = 0;

fn write(mortal: &Mortal) -> Result<(), LockError> {
    let mut lock = mortal
        .arena
        .rw_lock(0, 0)
        .expect("the word is free or holds this lock");
    let acquired = lock.write(&mortal.party)?;
    let _guard = mortal.enter(acquired)?;
    mortal.count();
    Ok(())
}

fn read(mortal: &Mortal) -> Result<(), LockError> {
    let mut lock = mortal
        .arena
        .rw_lock(0, 0)
        .expect("the word is free or holds this lock");
    let acquired = lock.read(&mortal.party)?;
    let [first, second] = mortal.counters();
    match &acquired {
        Acquired::Consistent(_) => assert_eq!(first, second, "a reader sees half a write"),
        Acquired::OwnerDied(_) => assert!(first - second <= 1),
    }
    Ok(())
}

type Act = fn(&Mortal) -> Result<(), LockError>;

/// The first party dies, and its parent recovers this party. At the end, the parent restarts the
/// party as a writer that repairs the data.
fn with(setup: Setup, acts: &[Act]) -> bool {
    let shared = Shared::new(setup, acts.len(), 1);
    let mut threads: Vec<_> = acts
        .iter()
        .enumerate()
        .map(|(party, act)| {
            let dies_after = setup.dies_after.filter(|_| party == VICTIM);
            spawn(&shared, party, dies_after, *act)
        })
        .collect();
    let has_died = threads
        .remove(VICTIM)
        .join()
        .expect("the victim does not panic");
    if has_died {
        recover(&shared, VICTIM);
    }
    for other in threads {
        assert!(!other.join().expect("the party does not panic"));
    }
    run_party(&shared, VICTIM, None, write);
    shared.assert_counted();
    assert_eq!(
        shared.word(0) & !(KIND | GENERATION | TURN),
        0,
        "the lock is free"
    );
    has_died
}

fn writer_and_reader(setup: Setup) -> bool {
    with(setup, &[write, read])
}

fn reader_and_writer(setup: Setup) -> bool {
    with(setup, &[read, write])
}

fn two_writers(setup: Setup) -> bool {
    with(setup, &[write, write])
}

fn reader_writer_reader(setup: Setup) -> bool {
    with(setup, &[read, write, read])
}

fn writer_writer_reader(setup: Setup) -> bool {
    with(setup, &[write, write, read])
}

#[test]
fn two_parties_of_which_one_dies_after_any_access() {
    check(
        "a writer that dies, and a reader",
        writer_and_reader,
        Some(3),
    );
    check(
        "a reader that dies, and a writer",
        reader_and_writer,
        Some(3),
    );
    check("a writer that dies, and a writer", two_writers, Some(3));
}

#[test]
fn a_recovery_that_is_stopped_after_any_access_is_repeated() {
    let mut executions = 0;
    for stops_after in 0..6 {
        executions += explore_with(writer_and_reader, Mutant::None, Some(2), Some(stops_after));
    }
    println!("a writer that dies, and a reader, a recovery in two parts: {executions} executions");
}

#[test]
fn three_parties_of_which_a_reader_dies_after_any_access() {
    check(
        "a reader that dies, a writer, a reader",
        reader_writer_reader,
        Some(2),
    );
}

#[test]
fn three_parties_of_which_a_writer_dies_after_any_access() {
    check(
        "a writer that dies, a writer, a reader",
        writer_writer_reader,
        Some(2),
    );
}

#[test]
fn a_wake_that_the_dead_party_did_not_make_is_found() {
    find(Mutant::NoWake, writer_and_reader, &["deadlock"]);
}

#[test]
fn an_unreported_death_of_an_owner_is_found() {
    find(
        Mutant::InconsistentLost,
        writer_and_reader,
        &["sees half a write"],
    );
}

#[test]
fn a_dead_party_that_is_left_waiting_is_found() {
    find(
        Mutant::WaitingLeft,
        writer_writer_reader,
        &["deadlock", "the lock is free"],
    );
}

#[test]
fn a_lock_that_was_handed_to_the_dead_is_found() {
    find(
        Mutant::HandedToDead,
        writer_writer_reader,
        &["deadlock", "the lock is free"],
    );
}
