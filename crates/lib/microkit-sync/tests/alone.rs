//! Tests the cost of a lock without contention: the number of accesses to its word, and the memory
//! ordering of each access.
#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::mem::take;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{self, Acquire, Relaxed, Release};

use microkit_sync::{Arena, Members, Notifier, Party, PartyId, Word};

#[derive(Debug, PartialEq, Eq)]
enum Access {
    Load(Ordering),
    Exchange(Ordering),
}

use Access::{Exchange, Load};

/// A word that records its accesses.
#[derive(Debug, Default)]
struct Watched {
    word: AtomicU64,
    accesses: RefCell<Vec<Access>>,
}

impl Word for Watched {
    fn load(&self, order: Ordering) -> u64 {
        self.accesses.borrow_mut().push(Load(order));
        self.word.load(order)
    }

    fn compare_exchange(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        self.accesses.borrow_mut().push(Exchange(success));
        self.word.compare_exchange(current, new, success, failure)
    }
}

#[derive(Debug)]
struct Nobody;

impl Notifier for Nobody {
    fn members(&self) -> Members {
        Members::NONE
    }

    fn notify(&self, party: PartyId) {
        panic!("there is no {party:?}");
    }

    fn wait(&self) {
        panic!("it would wait forever");
    }
}

const ALONE: Party<Nobody> = Party::new(PartyId::new(3), Nobody);

#[test]
fn a_mutex_needs_one_access_to_lock_and_one_to_unlock() {
    let words = [Watched::default()];
    let mut mutex = Arena::new(&words).mutex(0, 0).expect("the word is free");
    let accesses = || take(&mut *words[0].accesses.borrow_mut());
    for _ in 0..2 {
        accesses();
        let acquired = mutex.lock(&ALONE).expect("the lock is free");
        assert_eq!(accesses(), [Exchange(Acquire)]);
        drop(acquired);
        assert_eq!(accesses(), [Exchange(Release)]);
    }
}

#[test]
fn a_readers_writer_lock_needs_one_load_more() {
    let words = [Watched::default()];
    let mut rw_lock = Arena::new(&words).rw_lock(0, 0).expect("the word is free");
    let accesses = || take(&mut *words[0].accesses.borrow_mut());
    // In the second iteration, the word also contains the last writer.
    for _ in 0..2 {
        accesses();
        let acquired = rw_lock.write(&ALONE).expect("the lock is free");
        assert_eq!(accesses(), [Load(Relaxed), Exchange(Acquire)]);
        drop(acquired);
        assert_eq!(accesses(), [Load(Relaxed), Exchange(Release)]);
        let acquired = rw_lock.read(&ALONE).expect("the lock is free");
        assert_eq!(accesses(), [Load(Relaxed), Exchange(Acquire)]);
        drop(acquired);
        assert_eq!(accesses(), [Load(Relaxed), Exchange(Release)]);
    }
}
