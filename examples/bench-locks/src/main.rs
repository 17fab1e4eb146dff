//! Counts the instructions of locks: taken and given back while nobody else wants them, and handed to
//! another protection domain and back.
//!
//! Under QEMU's `-icount shift=0` an instruction takes a nanosecond of the guest's time, so that the
//! counter counts them. Run it with `--icount`; without, the numbers mean nothing.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::sync::atomic::Ordering::Relaxed;

use aarch64_cpu::registers::{CNTFRQ_EL0, CNTPCT_EL0, Readable};
use console::println;
use sel4_microkit::ipc::wait_for;
use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, SharedWord, panicking, protection_domain,
    shared_words, waits,
};
use sel4_sync::{Arena, Mutex, Party, PartyId, Peers, RwLock};

const PEER: Channel = Channel::new(1);
const PARTIES: [(PartyId, Channel); 1] = [(PartyId::new(1), PEER)];

const ROUNDS: u64 = 10_000;
const WARM_UP: u64 = 100;

waits! {
    in init { call console::CHANNEL; wait PEER; lock bench {} }
}

struct Bench {
    party: Party,
    mutex: Mutex<'static>,
    rw_lock: RwLock<'static>,
}

#[protection_domain]
fn init() -> Bench {
    panicking::set_hook(&console::panic_hook);
    let words = shared_words!(locks, locks_size, SharedWord);
    let (locks, rest) = words.split_at(2);
    let arena = Arena::new(locks);
    let mut bench = Bench {
        party: Party::new(PartyId::new(0), Peers::new(&PARTIES)),
        mutex: arena.mutex(0, 0).expect("it is the first"),
        rw_lock: arena.rw_lock(1, 0).expect("it is the first"),
    };
    let taken = count(|| bench.take_and_give_back());
    println!("a mutex, taken and given back: {taken} instructions");
    let written = count(|| bench.write());
    println!("a readers-writer lock, to write: {written}");
    let read = count(|| bench.read());
    println!("a readers-writer lock, to read: {read}");
    let notified = count(notify_and_wait);
    println!("a notification there and back: {notified}");
    let handed = bench.hand_over_and_wait(&rest[0]);
    println!("a mutex, handed there and back: {handed}");
    println!("bench: done");
    bench
}

impl Bench {
    #[inline(never)]
    fn take_and_give_back(&mut self) {
        drop(self.mutex.lock(&self.party).expect("it is free"));
    }

    #[inline(never)]
    fn write(&mut self) {
        drop(self.rw_lock.write(&self.party).expect("it is free"));
    }

    #[inline(never)]
    fn read(&mut self) {
        drop(self.rw_lock.read(&self.party).expect("it is free"));
    }

    /// Both want the lock all the time, and have the same priority.
    fn hand_over_and_wait(&mut self, is_over: &SharedWord) -> u64 {
        let Self { party, mutex, .. } = self;
        let guard = mutex.lock(party).expect("it is free");
        // The peer answers, and then waits for the lock.
        notify_and_wait();
        drop(guard);
        let handed = count(|| drop(mutex.lock(party).expect("it is handed over")));
        is_over.store(1, Relaxed);
        handed
    }
}

#[inline(never)]
fn notify_and_wait() {
    PEER.notify();
    wait_for(PEER, &mut ChannelSet::default());
}

impl Handler for Bench {
    type Error = Infallible;

    /// The peer has given the lock back once more.
    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        Ok(())
    }
}

/// The instructions of one call, of many.
fn count(mut call: impl FnMut()) -> u64 {
    (0..WARM_UP).for_each(|_| call());
    let start = instructions();
    (0..ROUNDS).for_each(|_| call());
    (instructions() - start) / ROUNDS
}

/// Instructions since the machine started, to the next tick of the counter.
fn instructions() -> u64 {
    const PER_SECOND: u64 = 1_000_000_000;
    CNTPCT_EL0.get() * (PER_SECOND / CNTFRQ_EL0.get())
}
