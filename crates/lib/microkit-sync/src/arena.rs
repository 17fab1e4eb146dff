//! Opens the locks of a memory region, and recovers the locks of a dead party.

use core::cell::Cell;

use crate::condition::Condition;
use crate::error::OpenError;
use crate::layout::{GENERATION, LAST_GENERATION};
use crate::mutex::Mutex;
use crate::party::{Notifier, PartyId};
use crate::rw_lock::RwLock;
use crate::slot::{Slot, make, recover};
use crate::state::{Identity, LockKind};
use crate::word::{self, Word};

/// A memory region for locks. Each word holds at most one lock at a time.
///
/// The region must be zero at the start. A zero word does not hold a lock yet. The first party that
/// opens a lock in the word creates the lock. All parties must open the same kind of lock in the
/// same word. The protected data must be outside the arena. The recovery of a dead party writes
/// only to the arena.
///
/// ```
/// use microkit_sync::{Arena, OpenError};
/// # use sel4_microkit::SharedWord;
///
/// // In a PD: let words = shared_words!(locks, locks_size, SharedWord);
/// # let words = [const { SharedWord::new(0) }; 4];
/// let arena = Arena::new(&words);
/// let mutex = arena.mutex(0, 0)?;
/// let condition = arena.condition(1, 0)?;
/// let rw_lock = arena.rw_lock(2, 0)?;
///
/// assert_eq!(arena.mutex(0, 0).unwrap_err(), OpenError::Open);
/// assert_eq!(arena.mutex(4, 0).unwrap_err(), OpenError::NoSuchWord);
/// # Ok::<(), OpenError>(())
/// ```
#[derive(Debug)]
pub struct Arena<'a, W = word::Default> {
    words: &'a [W],
    /// One bit for each word, set while this party has the word's lock open. A party can have a
    /// lock open only once, so the `&mut` of [`Mutex::lock`] excludes a second guard in the same
    /// PD.
    open: [Cell<u64>; MOST_WORDS / u64::BITS as usize],
}

/// The maximum number of words: one page of memory.
const MOST_WORDS: usize = 512;

/// The result of [`Arena::recover`].
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// The number of changed words: locks that the dead party owned or waited for, and conditions
    /// that had waiters.
    pub changed: usize,
    /// The number of words that are not a valid lock state for these parties. The recovery does not
    /// change these words.
    pub corrupt: usize,
}

impl<'a, W: Word> Arena<'a, W> {
    /// Creates this party's view of the arena in these words.
    ///
    /// # Panics
    ///
    /// Panics if there are more than 512 words.
    pub fn new(words: &'a [W]) -> Self {
        assert!(
            words.len() <= MOST_WORDS,
            "an arena has at most {MOST_WORDS} words, not {}",
            words.len()
        );
        Self {
            words,
            open: Default::default(),
        }
    }

    /// Opens the mutex in word `index`. Creates the mutex if the word does not hold a lock yet.
    ///
    /// `generation` is 0 for the first lock of a word. For each later lock, `generation` is the
    /// value that [`Mutex::retire`] returned.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns an [`OpenError`] if the index is beyond the end of the arena, if this party already
    /// has the lock open, or if the word does not hold this mutex.
    pub fn mutex(&self, index: usize, generation: u32) -> Result<Mutex<'a, W>, OpenError> {
        self.open(index, LockKind::Mutex, generation)
            .map(Mutex::new)
    }

    /// Opens the condition in word `index`, in the same way as [`mutex`](Self::mutex).
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns an [`OpenError`] in the same cases as [`mutex`](Self::mutex).
    pub fn condition(&self, index: usize, generation: u32) -> Result<Condition<'a, W>, OpenError> {
        self.open(index, LockKind::Condition, generation)
            .map(Condition::new)
    }

    /// Opens the readers-writer lock in word `index`, in the same way as [`mutex`](Self::mutex).
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns an [`OpenError`] in the same cases as [`mutex`](Self::mutex).
    pub fn rw_lock(&self, index: usize, generation: u32) -> Result<RwLock<'a, W>, OpenError> {
        self.open(index, LockKind::RwLock, generation)
            .map(RwLock::new)
    }

    /// Closes a lock for this party. The party can then open another lock in the same word.
    ///
    /// **Blocking:** never.
    ///
    /// ```
    /// # use microkit_sync::{Arena, Party, PartyId, Peers};
    /// # use sel4_microkit::SharedWord;
    /// # let words = [const { SharedWord::new(0) }; 1];
    /// # let party = Party::new(PartyId::new(0), Peers::new(&[]));
    /// let arena = Arena::new(&words);
    /// let mut mutex = arena.mutex(0, 0)?;
    ///
    /// let generation = mutex.retire(&party)?;
    /// arena.close(mutex);
    /// let rw_lock = arena.rw_lock(0, generation)?;
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn close(&self, lock: impl Into<Closed<'a, W>>) {
        let Closed(slot) = lock.into();
        if let Some(index) = self.words.iter().position(|word| slot.is(word)) {
            let (open, bit) = self.open_bit(index);
            open.set(open.get() & !bit);
        }
    }

    /// Releases the locks of a dead party, cancels its waits, and notifies all other parties.
    ///
    /// The next owner of a lock that the dead party held gets
    /// [`Acquired::OwnerDied`](crate::Acquired). The parent of the dead party must call `recover`
    /// before it restarts the party. A party can also call `recover` for itself when it starts, in
    /// case its parent has not called `recover`.
    ///
    /// A recovery can be interrupted at any point. Any PD whose `notifier` reaches all other
    /// parties can then repeat the recovery. The notifier is a [`Party`](crate::Party), or
    /// [`Peers`](crate::Peers) in a PD that is not a party. The party that runs the recovery is not
    /// notified. If this party waits for a lock by polling, it must poll the lock again after the
    /// recovery.
    ///
    /// `dead` must not be running. The party has faulted, was stopped by its parent, or calls
    /// `recover` itself before it takes a lock. Otherwise two parties can own one lock.
    ///
    /// **Blocking:** never.
    ///
    /// ```
    /// use microkit_sync::{Acquired, Arena, Party, PartyId, Peers};
    /// # use sel4_microkit::SharedWord;
    /// # let words = [const { SharedWord::new(0) }; 1];
    ///
    /// let child = Party::new(PartyId::new(1), Peers::new(&[]));
    /// let mut childs_lock = Arena::new(&words).mutex(0, 0)?;
    /// std::mem::forget(childs_lock.lock(&child)?); // The child dies while it owns the lock.
    ///
    /// # let parent = Party::new(PartyId::new(0), Peers::new(&[]));
    /// let arena = Arena::new(&words);
    /// assert_eq!(arena.recover(PartyId::new(1), &parent).changed, 1);
    /// let mut lock = arena.mutex(0, 0)?;
    /// assert!(matches!(lock.lock(&parent)?, Acquired::OwnerDied(_)));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn recover<N: Notifier>(&self, dead: PartyId, notifier: &N) -> Recovered {
        let members = notifier.members().with(dead);
        let mut recovered = Recovered::default();
        for word in self.words {
            match recover(word, dead, members) {
                Ok(true) => recovered.changed += 1,
                Ok(false) => (),
                Err(_) => recovered.corrupt += 1,
            }
        }
        // Notify all parties in every case: the dead party, or an interrupted earlier recovery, may
        // have handed a lock over without notifying the new owner.
        for party in members.without(dead).iter() {
            notifier.notify(party);
        }
        recovered
    }

    fn open(
        &self,
        index: usize,
        kind: LockKind,
        generation: u32,
    ) -> Result<Slot<'a, W>, OpenError> {
        let word = self.words.get(index).ok_or(OpenError::NoSuchWord)?;
        let (open, bit) = self.open_bit(index);
        if open.get() & bit != 0 {
            return Err(OpenError::Open);
        }
        if generation > LAST_GENERATION {
            return Err(OpenError::OtherGeneration(LAST_GENERATION));
        }
        let identity = Identity::new(kind, generation);
        if let Err(other) = make(word, identity) {
            let found = Identity::from_word(other);
            return Err(if found.kind().is_none() && other & !GENERATION != 0 {
                OpenError::Corrupt
            } else if found.generation() != generation {
                OpenError::OtherGeneration(found.generation())
            } else {
                OpenError::OtherKind
            });
        }
        open.set(open.get() | bit);
        Ok(Slot::new(word, identity))
    }

    fn open_bit(&self, index: usize) -> (&Cell<u64>, u64) {
        const BITS: usize = u64::BITS as usize;
        (&self.open[index / BITS], 1 << (index % BITS))
    }
}

/// The argument of [`Arena::close`]: a [`Mutex`], a [`Condition`] or an [`RwLock`].
#[derive(Debug)]
pub struct Closed<'a, W>(Slot<'a, W>);

macro_rules! closed {
    ($($lock:ident),*) => {
        $(
            impl<'a, W: Word> From<$lock<'a, W>> for Closed<'a, W> {
                fn from(lock: $lock<'a, W>) -> Self {
                    Self(lock.into_slot())
                }
            }
        )*
    };
}

closed!(Mutex, Condition, RwLock);
