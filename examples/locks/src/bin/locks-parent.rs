//! Kills a child ten thousand times, at any instruction. After each kill, recovers the child's
//! locks and restarts the child. In the end, checks that the shared data is consistent.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::task::Poll;

use locks::{Book, CHANNELS, PARENT, Store, VICTIM, lock};
use microkit_console::println;
use microkit_sync::{Arena, Condition, LockError, Mutex, Party, Peers};
use microkit_timer::Timer;
use sel4_microkit::{
    Channel, ChannelSet, Child, EntryPoint, Handler, MessageInfo, SharedWord, panicking,
    protection_domain, shared_words, waits,
};

const TIMER: Channel = Channel::new(1);
const CHILD: Child = Child::new(1);

/// The minimum number of kills. The parent also continues until the child has died inside the
/// store's lock [`INSIDE`] times and has faulted [`FAULTS`] times.
const KILLS: u32 = 10_000;
const INSIDE: u64 = 100;
const FAULTS: u32 = 20;

/// The longest incarnation of the child, in nanoseconds.
const LONGEST_RUN_NS: u64 = 100_000;

waits! {
    in init { call TIMER; }
    in notified { call TIMER; call microkit_console::CHANNEL; }
    in fault(CHILD) {}
}

struct Parent {
    entry_point: EntryPoint,
    timer: Timer,
    seed: u64,
    kills: u32,
    faults: u32,
    phase: Phase,
    party: Party,
    arena: Arena<'static>,
    store: Store,
    book: Book,
    lock: Mutex<'static>,
    room: Condition<'static>,
    goods: Condition<'static>,
}

#[derive(PartialEq, Eq)]
enum Phase {
    Killing,
    /// Waits for the store's lock, to announce the end.
    Ending,
    /// Waits for the workers to finish.
    Waiting,
    Done,
}

#[protection_domain]
fn init() -> Parent {
    panicking::set_hook(&microkit_console::panic_hook);
    let locks = shared_words!(locks, locks_size, SharedWord);
    let arena = Arena::new(&locks[..lock::COUNT]);
    let opened = "all open the same locks";
    let mut parent = Parent {
        // The child has a lower priority, so it has not run yet.
        entry_point: CHILD
            .entry_point()
            .expect("the system file declares this child"),
        timer: Timer::new(TIMER),
        seed: 1,
        kills: 0,
        faults: 0,
        phase: Phase::Killing,
        party: Party::new(PARENT, Peers::new(&CHANNELS)),
        store: Store::new(shared_words!(store, store_size, SharedWord)),
        book: Book::new(shared_words!(book, book_size, SharedWord)),
        lock: arena.mutex(lock::STORE, 0).expect(opened),
        room: arena.condition(lock::ROOM, 0).expect(opened),
        goods: arena.condition(lock::GOODS, 0).expect(opened),
        arena,
    };
    parent.kill_later();
    parent
}

impl Parent {
    fn kill_later(&mut self) {
        // The generator is xorshift64, by Marsaglia.
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        let due_ns = self.timer.now_ns() + self.seed % LONGEST_RUN_NS;
        self.timer.set(due_ns, 0).expect("no other time-out is set");
    }

    fn kill(&mut self) -> Result<(), LockError> {
        CHILD.stop().expect("the system file declares this child");
        self.kills += 1;
        if self.is_enough() {
            self.recover();
            self.phase = Phase::Ending;
        } else {
            // At every fourth kill the parent does not recover the locks. Then the child recovers
            // its own locks in `init`.
            if !self.kills.is_multiple_of(4) {
                self.recover();
            }
            CHILD
                .restart(self.entry_point)
                .expect("the system file declares this child");
            self.kill_later();
        }
        Ok(())
    }

    /// On a slow machine, most kills come before the child has taken the lock. So the kills inside
    /// the lock are counted separately.
    fn is_enough(&self) -> bool {
        self.kills >= KILLS && self.faults >= FAULTS && self.store.repairs() >= INSIDE
    }

    fn recover(&self) {
        let recovered = self.arena.recover(VICTIM, &self.party);
        assert_eq!(recovered.corrupt, 0, "a lock is corrupt");
    }

    /// Tries to take the store's lock. On success, announces the end and wakes every worker that
    /// waits on a condition.
    fn end(&mut self) -> Result<(), LockError> {
        if let Poll::Ready(acquired) = self.lock.poll_lock(&self.party)? {
            let store = self.store;
            let _guard = acquired.or_repair(|| store.repair())?;
            self.store.say_enough();
            self.room.notify_all(&self.party)?;
            self.goods.notify_all(&self.party)?;
            self.phase = Phase::Waiting;
        }
        Ok(())
    }

    fn report(&mut self) {
        assert!(self.store.is_consistent(), "the store does not add up");
        // If the victim died during a write and no worker has written since, the book is not
        // repaired yet.
        self.book.repair();
        println!(
            "parent: at least {KILLS} kills, {INSIDE} of them inside the lock, and {FAULTS} faults"
        );
        println!("parent: the store is consistent, and nobody waits forever");
        self.phase = Phase::Done;
    }
}

impl Handler for Parent {
    type Error = LockError;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), LockError> {
        if channels.contains(TIMER) {
            let is_due = self.timer.expired().count() > 0;
            if is_due && self.phase == Phase::Killing {
                self.kill()?;
            }
        }
        if self.phase == Phase::Ending {
            self.end()?;
        }
        if self.phase == Phase::Waiting && self.store.is_finished() {
            self.report();
        }
        Ok(())
    }

    /// Handles the fault of a child that has panicked inside the lock.
    fn fault(&mut self, _: Child, _: MessageInfo) -> Result<Option<MessageInfo>, LockError> {
        self.faults += 1;
        self.recover();
        CHILD
            .restart(self.entry_point)
            .expect("the system file declares this child");
        Ok(None)
    }
}
