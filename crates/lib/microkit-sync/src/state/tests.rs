//! Tests transitions that whole systems rarely reach, and invalid words.

use super::Mode::{Read, Write};
use super::*;

const ALL: Members = Members::from_bits(u16::MAX);

fn party(index: usize) -> PartyId {
    PartyId::new(index)
}

fn only(index: usize) -> Members {
    Members::NONE.with(party(index))
}

/// Returns a lock that no party has taken yet.
fn new(kind: LockKind) -> State {
    State(Identity::new(kind, 0).free())
}

/// Returns the state of a lock that these parties have requested in this order.
fn acquired_by(kind: LockKind, parties: &[(usize, Mode)]) -> State {
    parties.iter().fold(new(kind), |state, (index, mode)| {
        let (next, _) = state
            .acquire(party(*index), *mode)
            .expect("acquire succeeds");
        next
    })
}

fn release(state: State, index: usize, mode: Mode) -> Next {
    let released = state.release(party(index), mode, Leaving::AsItWas, ALL);
    released.expect("the party holds the lock")
}

fn can_enter(state: State, index: usize, mode: Mode) -> bool {
    let given = state.acquire(party(index), mode).map(|(_, given)| given);
    matches!(given, Ok(Given::Yes { .. }))
}

#[test]
fn a_reader_keeps_the_lock_while_a_writer_waits() {
    let state = acquired_by(LockKind::RwLock, &[(0, Read), (1, Write)]);
    assert!(can_enter(state, 0, Read) && !can_enter(state, 2, Read));
}

#[test]
fn a_holder_or_waiter_cannot_acquire_the_lock_in_the_other_mode() {
    let refused = |parties: &[(usize, Mode)], index, mode| {
        let again = acquired_by(LockKind::RwLock, parties).acquire(party(index), mode);
        assert_eq!(again, Err(LockError::Held), "{parties:?}");
    };
    refused(&[(0, Read)], 0, Write);
    refused(&[(0, Write)], 0, Read);
    refused(&[(0, Write), (1, Read)], 1, Write);
    refused(&[(0, Write), (1, Write)], 1, Read);
}

#[test]
fn waiting_readers_get_the_lock_after_a_writer() {
    let state = acquired_by(
        LockKind::RwLock,
        &[(0, Write), (1, Write), (2, Read), (3, Read)],
    );
    let (state, woken) = release(state, 0, Write);
    assert_eq!(woken, only(2).with(party(3)));
    assert!(can_enter(state, 2, Read) && can_enter(state, 3, Read) && !can_enter(state, 1, Write));
}

#[test]
fn writers_are_served_in_circular_order() {
    let state = acquired_by(LockKind::RwLock, &[(0, Read), (2, Write)]);
    let (state, woken) = release(state, 0, Read);
    assert_eq!(woken, only(2));
    let state = [2, 1, 3].into_iter().fold(state, |state, index| {
        state
            .acquire(party(index), Write)
            .expect("acquire succeeds")
            .0
    });
    assert_eq!(release(state, 2, Write).1, only(3));
}

#[test]
fn only_an_owner_that_has_entered_can_release_or_repair() {
    let held = acquired_by(LockKind::Mutex, &[(0, Write), (1, Write)]);
    let (handed_to_1, _) = release(held, 0, Write);
    for (state, index) in [(held, 1), (held, 2), (handed_to_1, 1), (handed_to_1, 2)] {
        let released = state.release(party(index), Write, Leaving::AsItWas, ALL);
        assert_eq!(released, Err(LockError::Corrupt), "{state:?}");
        assert_eq!(state.repair(party(index)), Err(LockError::Corrupt));
    }
    assert_eq!(held.repair(party(0)), Ok((held, ())));
}

#[test]
fn an_owner_that_dies_before_it_repairs_leaves_the_data_inconsistent() {
    let mut state = new(LockKind::Mutex);
    for index in 0..3 {
        let (taken, given) = state
            .acquire(party(index), Write)
            .expect("the mutex is free");
        let is_inconsistent = index > 0;
        assert_eq!(given, Given::Yes { is_inconsistent });
        state = taken.recover(party(index)).0;
    }
}

#[test]
fn a_party_that_starts_to_wait_twice_waits_once() {
    let state = new(LockKind::Condition);
    let state = state.await_signal(party(4)).await_signal(party(4));
    assert_eq!(state.signal_one().1, only(4));
}

#[test]
fn a_lock_is_unused_if_nobody_holds_it_or_waits_for_it() {
    for kind in [LockKind::Mutex, LockKind::Condition, LockKind::RwLock] {
        assert!(new(kind).is_unused());
    }
    let used = [
        acquired_by(LockKind::Mutex, &[(0, Write)]),
        acquired_by(LockKind::RwLock, &[(0, Write)]),
        acquired_by(LockKind::RwLock, &[(0, Read)]),
        new(LockKind::Condition).await_signal(party(0)),
    ];
    for state in used {
        assert!(!state.is_unused(), "{state:?}");
    }
}

#[test]
fn only_valid_states_of_these_parties_are_read() {
    let members = only(0).with(party(1)).with(party(15));
    let check = |word: u64, is_sound: bool| {
        let expect = match is_sound {
            true => Ok(State(word)),
            false => Err(LockError::Corrupt),
        };
        assert_eq!(State::read(word, members), expect, "{word:#x}");
    };
    let mutex = new(LockKind::Mutex).word();
    let condition = new(LockKind::Condition).word();
    let rw_lock = new(LockKind::RwLock).word();
    let waits = |index| waiting_bit(party(index));
    let reads = |index| reading_bit(party(index));
    let owns = |index| owner_bits(party(index));

    let no_lock = Identity::retired(5);
    check(no_lock, true);
    for bits in [waits(0), ENTERED, owns(0), INCONSISTENT, TURN] {
        check(no_lock | bits, false);
    }
    for lock in [mutex, rw_lock] {
        for flag in [0, INCONSISTENT, NOT_RECOVERABLE] {
            check(lock | flag, true);
        }
        check(lock | NOT_RECOVERABLE | INCONSISTENT, false);
        // Without an owner, `ENTERED` and waiters are invalid.
        check(lock | ENTERED, false);
        check(lock | waits(1), false);
        for flag in [0, ENTERED, ENTERED | INCONSISTENT] {
            check(lock | owns(0) | flag, true);
            check(lock | owns(15) | flag | waits(1), true);
            check(lock | owns(0) | flag | waits(0), false);
            check(lock | owns(0) | flag | waits(2), false);
            check(lock | owns(2) | flag, false);
            check(lock | OWNER | flag, false);
            check(lock | owns(0) | flag | NOT_RECOVERABLE, false);
        }
    }
    check(mutex | reads(0), false);
    check(mutex | owns(0) | ENTERED | waits(1) | reads(1), false);
    check(mutex | turn_bits(party(1)), false);
    check(rw_lock | turn_bits(party(1)), true);
    check(rw_lock | reads(0) | reads(15), true);
    check(rw_lock | reads(0) | waits(1), true);
    check(rw_lock | owns(0) | waits(1) | reads(1), true);
    check(rw_lock | reads(2), false);
    check(rw_lock | reads(0) | owns(1), false);
    check(rw_lock | reads(0) | ENTERED, false);
    check(rw_lock | reads(0) | NOT_RECOVERABLE, false);

    check(condition | waits(0) | waits(1) | TURN, true);
    check(condition | waits(2), false);
    for bits in [reads(0), owns(0), ENTERED, INCONSISTENT, NOT_RECOVERABLE] {
        check(condition | bits, false);
    }
}
