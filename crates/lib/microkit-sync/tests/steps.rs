//! Tests each operation and its result, in sequence and without waiting.
#![forbid(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use microkit_sync::layout::{GENERATION, LAST_GENERATION, TURN};
use microkit_sync::{
    Acquired, Arena, Condition, LockError, Members, Mutex, Notifier, OpenError, Party, PartyId,
    Recovered, RetireError, RwLock,
};

/// A notifier that records the notified parties.
#[derive(Debug, Default)]
struct Woken(RefCell<Vec<usize>>);

const PARTIES: usize = 4;

impl Notifier for Woken {
    fn members(&self) -> Members {
        (0..PARTIES)
            .map(PartyId::new)
            .fold(Members::NONE, Members::with)
    }

    fn notify(&self, party: PartyId) {
        self.0.borrow_mut().push(party.index());
    }

    fn wait(&self) {
        panic!("a wait would never end");
    }
}

/// A party that has all three locks open.
struct One<'a> {
    party: Party<Woken>,
    mutex: Mutex<'a, AtomicU64>,
    condition: Condition<'a, AtomicU64>,
    rw_lock: RwLock<'a, AtomicU64>,
}

impl One<'_> {
    /// Returns the parties notified since the last call.
    fn woken(&self) -> Vec<usize> {
        self.party.notifier().0.take()
    }

    /// Takes the mutex and leaks its guard, or registers as a waiter. Returns whether the party
    /// owns the mutex.
    fn take(&mut self) -> bool {
        match self.mutex.poll_lock(&self.party).unwrap() {
            Poll::Ready(Acquired::Consistent(guard)) => {
                std::mem::forget(guard);
                true
            }
            Poll::Ready(Acquired::OwnerDied(_)) => panic!("nobody has died"),
            Poll::Pending => false,
        }
    }

    /// Releases the mutex that `take` has taken.
    fn give(&self, words: &[AtomicU64]) {
        // The guard was leaked. The test clears `ENTERED`, so `cancel` passes the lock on as after
        // a hand-over.
        let word = words[0].load(Ordering::SeqCst);
        words[0].store(word & !(1 << 37), Ordering::SeqCst);
        Arena::new(&words[..1])
            .mutex(0, 0)
            .unwrap()
            .cancel(&self.party)
            .unwrap();
    }
}

fn words() -> [AtomicU64; 3] {
    [const { AtomicU64::new(0) }; 3]
}

fn parties(words: &[AtomicU64]) -> [One<'_>; PARTIES] {
    std::array::from_fn(|party| {
        let arena = Arena::new(words);
        One {
            party: Party::new(PartyId::new(party), Woken::default()),
            mutex: arena.mutex(0, 0).unwrap(),
            condition: arena.condition(1, 0).unwrap(),
            rw_lock: arena.rw_lock(2, 0).unwrap(),
        }
    })
}

#[test]
fn a_mutex_is_handed_over_in_circular_order() {
    let words = words();
    let mut all = parties(&words);
    assert!(all[1].take());
    assert!(!all[0].take() && !all[3].take() && !all[2].take());
    for (owner, next) in [(1, 2), (2, 3), (3, 0)] {
        all[owner].give(&words);
        assert_eq!(all[owner].woken(), [next]);
        // The first owner cannot take the lock before the waiters, even if it tries again at once.
        assert!(all[1].mutex.try_lock(&all[1].party).unwrap().is_none());
        assert!(all[next].take());
    }
}

#[test]
fn an_owner_cannot_take_its_mutex_again() {
    let words = words();
    let mut all = parties(&words);
    assert!(all[0].take());
    let again = all[0].mutex.try_lock(&all[0].party);
    assert_eq!(again.unwrap_err(), LockError::Held);
    assert_eq!(all[0].mutex.cancel(&all[0].party), Err(LockError::Held));
}

#[test]
fn cancelling_passes_on_a_lock_that_was_handed_over() {
    let words = words();
    let mut all = parties(&words);
    assert!(all[0].take());
    assert!(!all[1].take() && !all[2].take());
    all[0].give(&words);
    let One { party, mutex, .. } = &mut all[1];
    mutex.cancel(party).unwrap();
    assert_eq!(all[1].woken(), [2]);
    assert!(all[2].take());
    // The lock is not handed over to a party that has cancelled.
    assert!(!all[3].take());
    let One { party, mutex, .. } = &mut all[3];
    mutex.cancel(party).unwrap();
    all[2].give(&words);
    assert_eq!(all[2].woken(), []);
}

#[test]
fn the_next_owner_repairs_after_a_death() {
    let words = words();
    let mut all = parties(&words);
    assert!(all[0].take());
    assert!(!all[2].take());
    let arena = Arena::new(&words);
    let notifier = Woken::default();
    let recovered = arena.recover(PartyId::new(0), &notifier);
    assert_eq!(
        recovered,
        Recovered {
            changed: 1,
            corrupt: 0
        }
    );
    assert_eq!(notifier.0.take(), [1, 2, 3]);
    let again = arena.recover(PartyId::new(0), &notifier);
    assert_eq!(again, Recovered::default());
    assert_eq!(notifier.0.take(), [1, 2, 3]);

    let One { party, mutex, .. } = &mut all[2];
    let Ok(Some(Acquired::OwnerDied(guard))) = mutex.try_lock(party) else {
        panic!("the death is reported");
    };
    drop(guard.mark_consistent().unwrap());
    assert!(all[3].take());
}

#[test]
fn nobody_can_take_a_lock_that_was_not_repaired() {
    let words = words();
    let mut all = parties(&words);
    assert!(all[0].take());
    assert!(!all[1].take() && !all[2].take());
    Arena::new(&words).recover(PartyId::new(0), &Woken::default());
    let One { party, mutex, .. } = &mut all[1];
    drop(mutex.try_lock(party).unwrap());
    // All parties are notified, because any party may wait for a condition.
    assert_eq!(all[1].woken(), [0, 2, 3]);
    for One { party, mutex, .. } in &mut all {
        assert_eq!(
            mutex.try_lock(party).unwrap_err(),
            LockError::NotRecoverable
        );
    }
    let One { party, mutex, .. } = &mut all[1];
    assert_eq!(mutex.retire(party), Ok(1));
}

#[test]
fn a_second_death_before_the_repair_is_reported() {
    let words = words();
    let mut all = parties(&words);
    assert!(all[0].take());
    assert!(!all[1].take() && !all[2].take());
    let arena = Arena::new(&words);
    arena.recover(PartyId::new(0), &Woken::default());
    arena.recover(PartyId::new(1), &Woken::default());
    let One { party, mutex, .. } = &mut all[2];
    let found = mutex.try_lock(party).unwrap();
    assert!(matches!(found, Some(Acquired::OwnerDied(_))));
}

#[test]
fn writers_and_readers_take_turns() {
    let words = words();
    let mut all = parties(&words);
    let reads = |one: &mut One| {
        let given = one
            .rw_lock
            .poll_read(&one.party)
            .unwrap()
            .map(std::mem::forget);
        given.is_ready()
    };
    let writes = |one: &mut One| {
        let given = one
            .rw_lock
            .poll_write(&one.party)
            .unwrap()
            .map(std::mem::forget);
        given.is_ready()
    };
    assert!(reads(&mut all[0]));
    assert!(reads(&mut all[1]));
    assert!(!writes(&mut all[2]));
    // A reader that arrives after a waiting writer gets the lock after this writer.
    assert!(!reads(&mut all[3]));
    let leave = |one: &mut One| one.rw_lock.cancel(&one.party).unwrap();
    leave(&mut all[0]);
    assert_eq!(all[0].woken(), []);
    assert!(!reads(&mut all[0]));
    leave(&mut all[1]);
    assert_eq!(all[1].woken(), [2]);
    // The writer cancels, so the waiting readers get the lock.
    leave(&mut all[2]);
    assert_eq!(all[2].woken(), [0, 3]);
    assert!(reads(&mut all[0]) && reads(&mut all[3]));
    assert!(!writes(&mut all[1]) && !writes(&mut all[2]));
    leave(&mut all[0]);
    leave(&mut all[3]);
    // The last writer was party 2, so party 1 is the next waiting writer in circular order.
    assert_eq!(all[3].woken(), [1]);
}

/// Asserts that the fast path of readers without contention keeps the turn of the writers.
#[test]
fn a_reader_leaves_the_turn_of_the_writers_as_it_was() {
    let words = words();
    let mut all = parties(&words);
    let One { party, rw_lock, .. } = &mut all[2];
    drop(rw_lock.write(party).unwrap());
    let before = words[2].load(Ordering::SeqCst) & TURN;
    assert_ne!(before, 0);
    for reader in [0, 1, 2, 3] {
        let One { party, rw_lock, .. } = &mut all[reader];
        drop(rw_lock.read(party).unwrap());
        assert_eq!(words[2].load(Ordering::SeqCst) & TURN, before);
    }
    // The last writer was party 2, so the next writer is party 3, not party 1.
    let One { party, rw_lock, .. } = &mut all[0];
    let guard = rw_lock.read(party).unwrap();
    std::mem::forget(guard);
    for writer in [1, 3] {
        let One { party, rw_lock, .. } = &mut all[writer];
        assert!(rw_lock.poll_write(party).unwrap().is_pending());
    }
    let One { party, rw_lock, .. } = &mut all[0];
    rw_lock.cancel(party).unwrap();
    assert_eq!(all[0].woken(), [3]);
}

#[test]
fn a_reader_that_dies_leaves_the_data_consistent() {
    let words = words();
    let mut all = parties(&words);
    let One { party, rw_lock, .. } = &mut all[0];
    std::mem::forget(rw_lock.read(party).unwrap());
    let One { party, rw_lock, .. } = &mut all[1];
    assert!(rw_lock.poll_write(party).unwrap().is_pending());
    Arena::new(&words).recover(PartyId::new(0), &Woken::default());
    let given = rw_lock.try_write(party).unwrap();
    assert!(matches!(given, Some(Acquired::Consistent(_))));
}

#[test]
fn after_the_death_of_a_writer_readers_are_warned_and_writers_repair() {
    let words = words();
    let mut all = parties(&words);
    let One { party, rw_lock, .. } = &mut all[0];
    std::mem::forget(rw_lock.write(party).unwrap());
    Arena::new(&words).recover(PartyId::new(0), &Woken::default());
    let One { party, rw_lock, .. } = &mut all[1];
    assert!(matches!(rw_lock.read(party), Ok(Acquired::OwnerDied(_))));
    let repaired = rw_lock.write(party).unwrap().or_repair(|| ());
    drop(repaired.unwrap());
    assert!(matches!(rw_lock.read(party), Ok(Acquired::Consistent(_))));
}

fn wait_for_condition(one: &mut One<'_>) {
    let One {
        party,
        mutex,
        condition,
        ..
    } = one;
    let guard = mutex.lock(party).unwrap().or_repair(|| unreachable!());
    condition.start_wait(guard.unwrap()).unwrap();
}

#[test]
fn signals_are_sent_in_circular_order_and_passed_on() {
    let words = words();
    let mut all = parties(&words);
    for waiting in [0, 1, 3] {
        wait_for_condition(&mut all[waiting]);
    }
    let signal = |one: &mut One| one.condition.notify_one(&one.party).unwrap();
    let has = |one: &mut One| one.condition.poll_wait(&one.party).unwrap().is_ready();
    signal(&mut all[2]);
    signal(&mut all[2]);
    // The circular order starts after the last served party. Initially, this is party 0.
    assert_eq!(all[2].woken(), [1, 3]);
    assert!(has(&mut all[1]) && has(&mut all[3]) && !has(&mut all[0]));
    let One {
        party, condition, ..
    } = &mut all[3];
    condition.cancel(party).unwrap();
    assert_eq!(all[3].woken(), [0]);
    assert!(has(&mut all[0]));
}

#[test]
fn a_death_signals_all_waiters() {
    let words = words();
    let mut all = parties(&words);
    let One {
        party,
        mutex,
        condition,
        ..
    } = &mut all[1];
    let guard = mutex.lock(party).unwrap().or_repair(|| unreachable!());
    condition.start_wait(guard.unwrap()).unwrap();
    Arena::new(&words).recover(PartyId::new(3), &Woken::default());
    assert!(condition.poll_wait(party).unwrap().is_ready());
}

#[test]
fn a_word_can_hold_one_lock_after_another() {
    let words = words();
    let arena = Arena::new(&words);
    let party = Party::new(PartyId::new(0), Woken::default());
    let mut first = arena.mutex(0, 0).unwrap();
    assert_eq!(arena.mutex(0, 0).unwrap_err(), OpenError::Open);
    assert_eq!(arena.mutex(3, 0).unwrap_err(), OpenError::NoSuchWord);

    let mut others = Arena::new(&words).mutex(0, 0).unwrap();
    let guard = others.lock(&party).unwrap();
    assert_eq!(first.retire(&party), Err(RetireError::Busy));
    drop(guard);
    assert_eq!(first.retire(&party), Ok(1));
    assert_eq!(others.lock(&party).unwrap_err(), LockError::Gone);
    assert_eq!(first.retire(&party), Err(LockError::Gone.into()));

    arena.close(first);
    assert_eq!(
        arena.mutex(0, 0).unwrap_err(),
        OpenError::OtherGeneration(1)
    );
    assert_eq!(
        arena.mutex(0, 2).unwrap_err(),
        OpenError::OtherGeneration(1)
    );
    arena.rw_lock(0, 1).unwrap();
    let other = Arena::new(&words);
    assert_eq!(other.condition(0, 1).unwrap_err(), OpenError::OtherKind);
}

#[test]
fn the_last_generation_of_a_word_cannot_be_retired() {
    let last = u64::from(LAST_GENERATION) << GENERATION.trailing_zeros();
    let words = [AtomicU64::new(last)];
    let arena = Arena::new(&words);
    let party = Party::new(PartyId::new(0), Woken::default());
    let mut lock = arena.mutex(0, LAST_GENERATION).unwrap();
    drop(lock.lock(&party).unwrap());
    assert_eq!(lock.retire(&party), Err(RetireError::Spent));
    drop(lock.lock(&party).unwrap());
}

#[test]
fn notify_all_wakes_all_waiters() {
    let words = words();
    let mut all = parties(&words);
    for waiting in [0, 1, 3] {
        wait_for_condition(&mut all[waiting]);
    }
    let One {
        party, condition, ..
    } = &mut all[2];
    condition.notify_all(party).unwrap();
    assert_eq!(all[2].woken(), [0, 1, 3]);
    for One {
        party, condition, ..
    } in &mut all
    {
        assert!(condition.poll_wait(party).unwrap().is_ready());
    }
}

#[test]
fn try_read_succeeds_unless_a_writer_holds_the_lock() {
    let words = words();
    let mut all = parties(&words);
    for reader in [0, 1] {
        let One { party, rw_lock, .. } = &mut all[reader];
        let given = rw_lock.try_read(party).unwrap();
        assert!(matches!(given, Some(Acquired::Consistent(_))));
    }
    let One { party, rw_lock, .. } = &mut all[2];
    std::mem::forget(rw_lock.write(party).unwrap());
    let One { party, rw_lock, .. } = &mut all[0];
    assert!(rw_lock.try_read(party).unwrap().is_none());
}

/// Runs an action during the first wait of its party. A second wait panics.
struct Meanwhile<F>(Cell<Option<F>>);

impl<F: FnOnce()> Notifier for Meanwhile<F> {
    fn members(&self) -> Members {
        Woken::default().members()
    }

    fn notify(&self, _: PartyId) {}

    fn wait(&self) {
        let meanwhile = self.0.take().expect("a wait would never end");
        meanwhile();
    }
}

#[test]
fn a_waiter_for_a_signal_learns_that_the_mutex_is_not_recoverable() {
    let words = words();
    // An owner dies. Before the parent recovers the condition, the next owner abandons the data.
    let meanwhile = || {
        let [_, mut dead, mut next, _] = parties(&words);
        assert!(dead.take());
        Arena::new(&words[..1]).recover(PartyId::new(1), &Woken::default());
        let One { party, mutex, .. } = &mut next;
        drop(mutex.try_lock(party).unwrap());
    };
    let party = Party::new(PartyId::new(0), Meanwhile(Cell::new(Some(meanwhile))));
    let arena = Arena::new(&words);
    let (mut mutex, mut condition) = (arena.mutex(0, 0).unwrap(), arena.condition(1, 0).unwrap());
    let guard = mutex.lock(&party).unwrap().or_repair(|| unreachable!());
    let waited = condition.wait(guard.unwrap()).map(drop);
    assert_eq!(waited, Err(LockError::NotRecoverable));
    // The party no longer waits for a signal.
    assert!(condition.poll_wait(&party).unwrap().is_ready());
}
