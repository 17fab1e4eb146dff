//! The peer of `bench-locks`: answers notifications, then locks and unlocks the mutex in a loop.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::sync::atomic::Ordering::Relaxed;

use microkit_sync::{Arena, LockError, Mutex, Party, PartyId, Peers};
use sel4_microkit::{
    Channel, ChannelSet, Handler, SharedWord, protection_domain, shared_words, waits,
};

const BENCH: Channel = Channel::new(1);
const PARTIES: [(PartyId, Channel); 1] = [(PartyId::new(0), BENCH)];

/// Notifications to answer before the loop: the measured rounds of `bench-locks`, the rounds of the
/// warm-up, and one to start.
const ANSWERS: u64 = 10_000 + 100 + 1;

waits! {
    in init {}
    in notified { lock bench {} }
}

struct Peer {
    party: Party,
    mutex: Mutex<'static>,
    is_over: &'static SharedWord,
    answers: u64,
}

#[protection_domain]
fn init() -> Peer {
    let words = shared_words!(locks, locks_size, SharedWord);
    let (locks, rest) = words.split_at(2);
    let mutex = Arena::new(locks).mutex(0, 0);
    Peer {
        party: Party::new(PartyId::new(1), Peers::new(&PARTIES)),
        mutex: mutex.expect("both open the same lock"),
        is_over: &rest[0],
        answers: 0,
    }
}

impl Handler for Peer {
    type Error = LockError;

    fn notified(&mut self, _: ChannelSet) -> Result<(), LockError> {
        self.answers += 1;
        if self.answers <= ANSWERS {
            BENCH.notify();
        }
        if self.answers == ANSWERS {
            while self.is_over.load(Relaxed) == 0 {
                drop(self.mutex.lock(&self.party)?);
            }
        }
        Ok(())
    }
}
