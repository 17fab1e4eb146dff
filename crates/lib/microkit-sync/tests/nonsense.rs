//! Tests that a lock neither panics nor loops forever if its word has an arbitrary value.
#![forbid(unsafe_code)]

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use microkit_sync::layout::{ENTERED, GENERATION, OWNER};
use microkit_sync::{Arena, LockError, Members, Notifier, Party, PartyId, Word};

/// A word that counts its accesses, and panics after too many accesses.
#[derive(Debug, Default)]
struct Counted {
    word: AtomicU64,
    accesses: Cell<u32>,
}

impl Counted {
    fn count(&self) {
        self.accesses.set(self.accesses.get() + 1);
        assert!(self.accesses.get() < 100, "the lock loops");
    }
}

impl Word for Counted {
    fn load(&self, order: Ordering) -> u64 {
        self.count();
        self.word.load(order)
    }

    fn compare_exchange(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        self.count();
        self.word.compare_exchange(current, new, success, failure)
    }
}

#[derive(Debug)]
struct Silent;

impl Notifier for Silent {
    fn members(&self) -> Members {
        Members::NONE.with(PartyId::new(1)).with(PartyId::new(7))
    }

    fn notify(&self, party: PartyId) {
        assert!(self.members().contains(party) || party.index() == 0);
    }

    fn wait(&self) {
        panic!("a wait would never end");
    }
}

const ME: PartyId = PartyId::new(0);

/// Runs every operation on words with the given value, and returns the errors.
fn everything(value: u64) -> Vec<LockError> {
    let words = [const { AtomicU64::new(0) }; 3].map(|word| Counted {
        word,
        accesses: Cell::new(0),
    });
    let arena = Arena::new(&words);
    let mut errors = Vec::new();
    let mut keep = |error: Option<LockError>| errors.extend(error);
    let party = Party::new(ME, Silent);
    let mut mutex = arena.mutex(0, 0).unwrap();
    let mut condition = arena.condition(1, 0).unwrap();
    let mut rw_lock = arena.rw_lock(2, 0).unwrap();
    let set = || {
        for word in &words {
            word.accesses.set(0);
            let identity = word.word.load(Ordering::Relaxed) & (GENERATION | 3 << 40);
            // Store the value with the identity of the lock, or the plain value.
            let of_kind = value & !(GENERATION | 3 << 40) | identity;
            let is_of_kind = value & GENERATION == 0;
            word.word
                .store(if is_of_kind { of_kind } else { value }, Ordering::Relaxed);
        }
    };
    set();
    keep(mutex.try_lock(&party).err());
    set();
    keep(mutex.poll_lock(&party).err());
    set();
    keep(mutex.cancel(&party).err());
    set();
    keep(rw_lock.try_read(&party).err());
    set();
    keep(rw_lock.try_write(&party).err());
    set();
    keep(rw_lock.poll_read(&party).err());
    set();
    keep(rw_lock.poll_write(&party).err());
    set();
    keep(rw_lock.cancel(&party).err());
    set();
    keep(condition.notify_one(&party).err());
    set();
    keep(condition.notify_all(&party).err());
    set();
    keep(condition.poll_wait(&party).err());
    set();
    keep(condition.cancel(&party).err());
    for dead in 0..16 {
        set();
        arena.recover(PartyId::new(dead), &Silent);
    }
    set();
    let _ = mutex.retire(&party);
    let _ = condition.retire(&party);
    let _ = rw_lock.retire(&party);
    set();
    for generation in [0, 1, u32::MAX] {
        let other = Arena::new(&words);
        let _ = other.mutex(0, generation);
        let _ = other.condition(1, generation);
        let _ = other.rw_lock(2, generation);
    }
    errors
}

/// The xorshift64* generator, by Marsaglia and Vigna.
fn random(seed: &mut u64) -> u64 {
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    seed.wrapping_mul(0x2545_f491_4f6c_dd1d)
}

#[test]
fn no_word_causes_a_panic_or_a_loop() {
    let mut seed = 1;
    let mut corrupt = 0;
    let mut none = 0;
    for _ in 0..20_000 {
        let wide = random(&mut seed);
        // Values with few set bits are more often valid states of a lock.
        let narrow = wide & random(&mut seed) & random(&mut seed) & !GENERATION;
        for value in [wide, narrow, narrow & 0xff_ffff_ffff, narrow & 0x83_0083] {
            let errors = everything(value);
            corrupt += errors
                .iter()
                .filter(|error| **error == LockError::Corrupt)
                .count();
            none += usize::from(errors.is_empty());
        }
    }
    println!("{corrupt} corrupt words, {none} values without an error");
    assert!(corrupt > 1000 && none > 100);
}

#[test]
fn a_lock_whose_owner_is_not_a_party_is_corrupt() {
    for owner in 0..32 {
        let value = owner << OWNER.trailing_zeros() | ENTERED;
        let errors = everything(value);
        // The parties are 0, 1 and 7. The owner field of a party is its number plus one.
        let is_a_party = [1, 2, 8].contains(&owner);
        assert!(
            errors.contains(&LockError::Corrupt),
            "conditions have no owner"
        );
        let words = [AtomicU64::new(0)];
        let arena = Arena::new(&words);
        let mut mutex = arena.mutex(0, 0).unwrap();
        words[0].fetch_or(value, Ordering::Relaxed);
        let polled = mutex
            .poll_lock(&Party::new(ME, Silent))
            .map(|polled| polled.is_pending());
        match polled {
            Ok(is_pending) => assert!(is_a_party && is_pending),
            Err(LockError::Held) => assert_eq!(owner, 1),
            Err(error) => assert!(!is_a_party && error == LockError::Corrupt),
        }
    }
}
