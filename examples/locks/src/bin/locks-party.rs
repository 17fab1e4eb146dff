//! A worker that shares a store and a book with three other workers. Each worker puts goods into
//! the store or takes goods, and writes or reads the book, until the parent announces the end. The
//! parent may kill the worker `a` at any instruction.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use locks::{Book, CHANNELS, PARENT, Store, VICTIM, WORKERS, lock};
use microkit_sync::{
    Acquired, Arena, Condition, LockError, Mutex, MutexGuard, Party, PartyId, Peers, RwLock,
};
use sel4_microkit::{
    ChannelSet, Handler, SharedWord, panicking, pd_name, protection_domain, shared_words, waits,
};

waits! {
    in init { lock store { call microkit_console::CHANNEL; } lock book { call microkit_console::CHANNEL; } call microkit_console::CHANNEL; }
    in notified { lock store { call microkit_console::CHANNEL; } lock book { call microkit_console::CHANNEL; } call microkit_console::CHANNEL; }
}

/// Whether the panic is intentional. An intentional panic is not printed.
static IS_DYING: AtomicBool = AtomicBool::new(false);

struct Worker {
    party: Party,
    role: Role,
    store: Store,
    book: Book,
    lock: Mutex<'static>,
    room: Condition<'static>,
    goods: Condition<'static>,
    book_lock: RwLock<'static>,
    /// The number of this incarnation. Only the victim counts its incarnations.
    incarnation: u64,
    /// The number of goods that this incarnation has made or taken.
    done: u64,
    /// The number of entries that this incarnation has written.
    written: u64,
    is_waiting: bool,
    is_finished: bool,
}

#[derive(Copy, Clone, PartialEq, Eq)]
enum Role {
    Maker,
    Taker,
}

#[protection_domain]
fn init() -> Worker {
    panicking::set_hook(&|info| {
        if !IS_DYING.load(Relaxed) {
            microkit_console::panic_hook(info);
        }
    });
    let mut worker = Worker::new().expect("all open the same locks");
    worker.work().expect("every owner repairs");
    worker
}

impl Worker {
    fn new() -> Result<Self, microkit_sync::OpenError> {
        let name = pd_name().unwrap_or_default();
        let position = WORKERS.iter().position(|worker| *worker == name);
        let id = PartyId::new(position.expect("a, b, c or d"));
        let locks = shared_words!(locks, locks_size, SharedWord);
        let arena = Arena::new(&locks[..lock::COUNT]);
        let party = Party::new(id, Peers::new(&CHANNELS));
        // Recovers the locks of an earlier incarnation, if the parent has not recovered them.
        arena.recover(id, &party);

        let store = Store::new(shared_words!(store, store_size, SharedWord));
        let incarnation = if id == VICTIM {
            store.begin_incarnation()
        } else {
            0
        };
        let role = match name {
            "b" | "d" => Role::Maker,
            "c" => Role::Taker,
            _ if incarnation.is_multiple_of(2) => Role::Maker,
            _ => Role::Taker,
        };
        Ok(Self {
            party,
            role,
            store,
            book: Book::new(shared_words!(book, book_size, SharedWord)),
            lock: arena.mutex(lock::STORE, 0)?,
            room: arena.condition(lock::ROOM, 0)?,
            goods: arena.condition(lock::GOODS, 0)?,
            book_lock: arena.rw_lock(lock::BOOK, 0)?,
            incarnation,
            done: 0,
            written: 0,
            is_waiting: false,
            is_finished: false,
        })
    }

    /// Works until the worker must wait on a condition, or until the parent has announced the end.
    fn work(&mut self) -> Result<(), LockError> {
        while !self.is_finished && self.work_once()? {
            if self.done.is_multiple_of(4) {
                self.write()?;
            } else {
                self.read()?;
            }
        }
        Ok(())
    }

    /// Makes or takes one good. Returns `false` if the worker waits on a condition or has
    /// finished.
    fn work_once(&mut self) -> Result<bool, LockError> {
        let worker = self.party.id().index();
        let guard = enter(self.lock.lock(&self.party)?, &self.store)?;
        if self.store.is_enough() {
            if self.party.id() != VICTIM {
                assert_eq!(
                    self.store.done_by(worker),
                    self.done,
                    "another worker has counted for this one"
                );
            }
            self.is_finished = true;
            drop(guard);
            self.store.finish(worker);
            CHANNELS[PARENT.index()].1.notify();
            return Ok(false);
        }
        let (can_work, own, others) = match self.role {
            Role::Maker => (self.store.has_room(), &mut self.room, &mut self.goods),
            Role::Taker => (self.store.has_goods(), &mut self.goods, &mut self.room),
        };
        if !can_work {
            self.is_waiting = true;
            own.start_wait(guard)?;
            return Ok(false);
        }
        let is_last = self.incarnation % 4 < 2 && self.done == self.incarnation % 3;
        let between = || die_if(is_last && self.party.id() == VICTIM);
        match self.role {
            Role::Maker => self.store.make(worker, between),
            Role::Taker => self.store.take(worker, between),
        }
        self.done += 1;
        others.notify_one(&self.party)?;
        drop(guard);
        Ok(true)
    }

    fn write(&mut self) -> Result<(), LockError> {
        let worker = self.party.id().index();
        let book = self.book;
        let acquired = self.book_lock.write(&self.party)?;
        if matches!(acquired, Acquired::Consistent(_)) {
            assert!(
                book.is_consistent(),
                "a writer has left the book inconsistent"
            );
        }
        let _guard = acquired.or_repair(|| book.repair())?;
        book.write(worker);
        self.written += 1;
        if self.party.id() != VICTIM {
            assert_eq!(
                book.entries_by(worker),
                self.written,
                "another worker has counted for this one"
            );
        }
        Ok(())
    }

    fn read(&mut self) -> Result<(), LockError> {
        // A reader cannot repair the book. If a writer has died, the next writer repairs the book.
        if let Acquired::Consistent(_guard) = self.book_lock.read(&self.party)? {
            assert!(
                self.book.is_consistent(),
                "a writer has left the book inconsistent"
            );
        }
        Ok(())
    }
}

/// Checks that the store is consistent. If the previous owner has died, repairs the store.
fn enter<'a>(
    acquired: Acquired<MutexGuard<'a>>,
    store: &Store,
) -> Result<MutexGuard<'a>, LockError> {
    if matches!(acquired, Acquired::Consistent(_)) {
        assert!(
            store.is_consistent(),
            "an owner has left the store inconsistent"
        );
    }
    acquired.or_repair(|| store.repair())
}

/// Panics without a message if `is_last`.
fn die_if(is_last: bool) {
    if is_last {
        IS_DYING.store(true, Relaxed);
        panic!("in the middle of a change");
    }
}

impl Handler for Worker {
    type Error = LockError;

    /// Ends the wait if the condition was notified. A notification of the channel is not enough.
    fn notified(&mut self, _: ChannelSet) -> Result<(), LockError> {
        if self.is_waiting {
            let own = match self.role {
                Role::Maker => &mut self.room,
                Role::Taker => &mut self.goods,
            };
            if own.poll_wait(&self.party)?.is_pending() {
                return Ok(());
            }
            self.is_waiting = false;
        }
        self.work()
    }
}
