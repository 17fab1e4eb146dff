//! Tests opening the locks of an arena, the result of a recovery, and the layout of a word.
#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::error::Error;
use std::sync::atomic::AtomicU64;
use std::task::Poll;

use microkit_sync::layout::{
    ENTERED, GENERATION, INCONSISTENT, KIND, LAST_GENERATION, NOT_RECOVERABLE, OWNER, READING,
    TURN, WAITING,
};
use microkit_sync::{
    Acquired, Arena, LockError, Members, Notifier, OpenError, Party, PartyId, Recovered,
    RetireError,
};

/// A notifier for two parties that records the notified parties.
#[derive(Debug, Default)]
struct Woken(RefCell<Vec<usize>>);

impl Notifier for Woken {
    fn members(&self) -> Members {
        Members::NONE.with(PartyId::new(0)).with(PartyId::new(1))
    }

    fn notify(&self, party: PartyId) {
        self.0.borrow_mut().push(party.index());
    }

    fn wait(&self) {
        panic!("a wait would never end");
    }
}

fn party(index: usize) -> Party<Woken> {
    Party::new(PartyId::new(index), Woken::default())
}

fn words(count: usize) -> Vec<AtomicU64> {
    (0..count).map(|_| AtomicU64::new(0)).collect()
}

#[test]
fn each_word_is_opened_once() {
    const WORDS: usize = 512;
    let words = words(WORDS);
    let arena = Arena::new(&words);
    let mutexes: Vec<_> = (0..WORDS)
        .map(|index| arena.mutex(index, 0).unwrap())
        .collect();
    for index in 0..WORDS {
        assert!(
            matches!(arena.mutex(index, 0), Err(OpenError::Open)),
            "{index}"
        );
    }
    assert!(matches!(arena.mutex(WORDS, 0), Err(OpenError::NoSuchWord)));
    drop(mutexes);
}

#[test]
fn a_recovery_returns_the_number_of_locks_that_it_changed() {
    let words = words(4);
    let dead = party(0);
    let arena = Arena::new(&words);
    for index in 0..3 {
        let mut mutex = arena.mutex(index, 0).unwrap();
        let Poll::Ready(Acquired::Consistent(guard)) = mutex.poll_lock(&dead).unwrap() else {
            panic!("the lock is free")
        };
        std::mem::forget(guard);
    }
    let recovered = Arena::new(&words).recover(PartyId::new(0), &Woken::default());
    let expect = Recovered {
        changed: 3,
        ..Recovered::default()
    };
    assert_eq!(recovered, expect);
}

#[test]
fn each_bit_of_a_word_belongs_to_one_field() {
    let fields = [
        WAITING,
        READING,
        OWNER,
        ENTERED,
        INCONSISTENT,
        NOT_RECOVERABLE,
        KIND,
        TURN,
        GENERATION,
    ];
    assert_eq!(fields.iter().fold(0, |all, field| all | field), u64::MAX);
    let bits: u32 = fields.iter().map(|field| field.count_ones()).sum();
    assert_eq!(bits, u64::BITS, "no two fields share a bit");
    let last = GENERATION >> GENERATION.trailing_zeros();
    assert_eq!(u64::from(LAST_GENERATION), last);
}

#[test]
fn a_condition_and_a_readers_writer_lock_can_be_retired() {
    let words = words(2);
    let arena = Arena::new(&words);
    let party = party(0);
    for generation in 0..3 {
        let mut condition = arena.condition(0, generation).unwrap();
        assert_eq!(condition.retire(&party), Ok(generation + 1));
        arena.close(condition);
        let mut rw_lock = arena.rw_lock(1, generation).unwrap();
        let guard = rw_lock.read(&party).unwrap();
        std::mem::forget(guard);
        assert_eq!(rw_lock.retire(&party), Err(RetireError::Busy));
        rw_lock.cancel(&party).unwrap();
        assert_eq!(rw_lock.retire(&party), Ok(generation + 1));
        arena.close(rw_lock);
    }
}

#[test]
fn closing_a_lock_leaves_the_others_open() {
    let words = words(3);
    let arena = Arena::new(&words);
    let locks = [0, 1, 2].map(|index| arena.mutex(index, 0).unwrap());
    let [_, second, _] = locks;
    arena.close(second);
    let errors = [0, 1, 2].map(|index| arena.mutex(index, 0).err());
    assert_eq!(errors, [Some(OpenError::Open), None, Some(OpenError::Open)]);
}

#[test]
fn corrupt_words_are_counted_and_not_opened() {
    // The first word has an owner, although its kind says that it does not hold a lock. The third
    // word has an owner that is not a party.
    let values = [1 << OWNER.trailing_zeros() | ENTERED, 0, OWNER];
    let words = values.map(AtomicU64::new);
    let arena = Arena::new(&words);
    let recovered = arena.recover(PartyId::new(0), &Woken::default());
    let expect = Recovered {
        changed: 0,
        corrupt: 2,
    };
    assert_eq!(recovered, expect);
    let errors = [0, 1, 2].map(|index| arena.mutex(index, 0).err());
    let corrupt = Some(OpenError::Corrupt);
    assert_eq!(errors, [corrupt, None, corrupt]);
    let now = words.map(AtomicU64::into_inner);
    assert_eq!([now[0], now[2]], [values[0], values[2]]);
}

#[test]
fn each_error_has_its_own_text() {
    let errors: &[&dyn Error] = &[
        &LockError::NotRecoverable,
        &LockError::Held,
        &LockError::Gone,
        &LockError::Corrupt,
        &OpenError::NoSuchWord,
        &OpenError::Open,
        &OpenError::OtherKind,
        &OpenError::OtherGeneration(7),
        &OpenError::Corrupt,
        &RetireError::Busy,
        &RetireError::Spent,
    ];
    let sentences: BTreeSet<_> = errors.iter().map(|error| error.to_string()).collect();
    assert_eq!(sentences.len(), errors.len());
    assert!(
        sentences.iter().all(|sentence| sentence.len() > 20),
        "{sentences:#?}"
    );
    assert!(
        sentences
            .iter()
            .any(|sentence| sentence.contains("generation 7"))
    );
    let inner = RetireError::Lock(LockError::Held).to_string();
    assert_eq!(inner, LockError::Held.to_string());
}
