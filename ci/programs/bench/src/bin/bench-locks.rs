//! Measures locks without contention, and a mutex that two PDs pass to each other.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::sync::atomic::Ordering::Relaxed;

use aarch64_cpu::registers::{CNTPCT_EL0, Readable};
use bench::report::{DONE, LOCKS, report};
use microkit_sync::{Arena, Mutex, Party, PartyId, Peers, RwLock};
use sel4_microkit::ipc::wait_for;
use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, SharedWord, protection_domain, shared_words, waits,
};

const PEER: Channel = Channel::new(1);
const PARTIES: [(PartyId, Channel); 1] = [(PartyId::new(1), PEER)];

const ROUNDS: u64 = 10_000;
const WARM_UP: u64 = 100;

waits! {
    in init { call bench::report::CHANNEL; wait PEER; lock bench {} }
}

struct Bench {
    party: Party,
    mutex: Mutex<'static>,
    rw_lock: RwLock<'static>,
}

#[protection_domain]
fn init() -> Bench {
    let words = shared_words!(locks, locks_size, SharedWord);
    let (locks, rest) = words.split_at(2);
    let arena = Arena::new(locks);
    let mut bench = Bench {
        party: Party::new(PartyId::new(0), Peers::new(&PARTIES)),
        mutex: arena.mutex(0, 0).expect("this PD opens the lock first"),
        rw_lock: arena.rw_lock(1, 0).expect("this PD opens the lock first"),
    };
    measure(LOCKS, || bench.lock_and_unlock());
    measure(LOCKS + 1, || bench.write());
    measure(LOCKS + 2, || bench.read());
    measure(LOCKS + 3, notify_and_wait);
    bench.hand_over_and_wait(LOCKS + 4, &rest[0]);
    report(DONE, 0, 0);
    bench
}

impl Bench {
    #[inline(never)]
    fn lock_and_unlock(&mut self) {
        drop(self.mutex.lock(&self.party).expect("the lock is free"));
    }

    #[inline(never)]
    fn write(&mut self) {
        drop(self.rw_lock.write(&self.party).expect("the lock is free"));
    }

    #[inline(never)]
    fn read(&mut self) {
        drop(self.rw_lock.read(&self.party).expect("the lock is free"));
    }

    /// Measures a contended mutex. Both PDs have the same priority and lock the mutex in a loop.
    fn hand_over_and_wait(&mut self, row: u64, is_over: &SharedWord) {
        let Self { party, mutex, .. } = self;
        let guard = mutex.lock(party).expect("the lock is free");
        // The peer answers, and then waits for the lock.
        notify_and_wait();
        drop(guard);
        measure(row, || {
            drop(mutex.lock(party).expect("the peer hands it over"))
        });
        is_over.store(1, Relaxed);
    }
}

#[inline(never)]
fn notify_and_wait() {
    PEER.notify();
    wait_for(PEER, &mut ChannelSet::default());
}

impl Handler for Bench {
    type Error = Infallible;

    /// Ignores the notification: the peer has unlocked the mutex once more.
    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        Ok(())
    }
}

fn measure(row: u64, mut round: impl FnMut()) {
    (0..WARM_UP).for_each(|_| round());
    let start = CNTPCT_EL0.get();
    (0..ROUNDS).for_each(|_| round());
    report(row, CNTPCT_EL0.get() - start, ROUNDS);
}
