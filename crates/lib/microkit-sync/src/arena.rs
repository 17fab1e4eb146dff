//! The words of all locks that some parties share, and the recovery of a party that has died.

use core::cell::Cell;

use crate::condition::Condition;
use crate::error::OpenError;
use crate::layout::{GENERATION, LAST_GENERATION};
use crate::mutex::Mutex;
use crate::party::{Notifier, PartyId};
use crate::rw_lock::RwLock;
use crate::slot::{Slot, bury, make};
use crate::state::{Identity, Kind};
use crate::word::{self, Word};

/// A region whose every word is a lock or will be one, for as long as the system runs.
///
/// It begins as zeros, which is no lock yet: the first party to open one makes it. All parties open
/// the same kind in the same word. What the locks guard is elsewhere. Nothing but locks is ever stored
/// in an arena, so that the recovery of a party that has died never writes to anything else.
#[derive(Debug)]
pub struct Arena<'a, W = word::Default> {
    words: &'a [W],
    /// The words of which this party has a lock open.
    open: [Cell<u64>; MOST_WORDS / u64::BITS as usize],
}

/// The words that a page of memory has.
const MOST_WORDS: usize = 512;

/// What [`Arena::recover`] has found.
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// Locks with which the party had to do when it died; of conditions, those for which anybody
    /// waited.
    pub changed: usize,
    /// Words that are no state of a lock of these parties. They are as they were.
    pub corrupt: usize,
}

impl<'a, W: Word> Arena<'a, W> {
    /// The arena in these words.
    ///
    /// # Panics
    ///
    /// If there are more than 512 words.
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

    /// The mutex in word `index`: the one of generation 0, or of the one that
    /// [`Mutex::retire`] has returned.
    ///
    /// **Blocks:** never.
    /// **Errors:** if the word is, or was, something else, and if this party has it open.
    pub fn mutex(&self, index: usize, generation: u32) -> Result<Mutex<'a, W>, OpenError> {
        self.open(index, Kind::Mutex, generation).map(Mutex::new)
    }

    /// The condition in word `index`, as [`mutex`](Self::mutex).
    ///
    /// **Blocks:** never.
    /// **Errors:** if the word is, or was, something else, and if this party has it open.
    pub fn condition(&self, index: usize, generation: u32) -> Result<Condition<'a, W>, OpenError> {
        self.open(index, Kind::Condition, generation)
            .map(Condition::new)
    }

    /// The readers-writer lock in word `index`, as [`mutex`](Self::mutex).
    ///
    /// **Blocks:** never.
    /// **Errors:** if the word is, or was, something else, and if this party has it open.
    pub fn rw_lock(&self, index: usize, generation: u32) -> Result<RwLock<'a, W>, OpenError> {
        self.open(index, Kind::RwLock, generation).map(RwLock::new)
    }

    /// Gives up a lock of this arena for this party, which can then open what is in the word.
    ///
    /// **Blocks:** never.
    pub fn close(&self, lock: impl Into<Closed<'a, W>>) {
        let Closed(slot) = lock.into();
        if let Some(index) = self.words.iter().position(|word| slot.is(word)) {
            let (open, bit) = self.open_bit(index);
            open.set(open.get() & !bit);
        }
    }

    /// Has a party that has died leave all locks: what it held goes to the next, who learns that it
    /// died inside, and what it waited for is no more its. Then wakes all other parties, so that none
    /// waits for what the dead one was about to say.
    ///
    /// This is for the parent of the dead party, before it lets it begin anew. It may be stopped
    /// anywhere, and be repeated, by anyone who can reach all others by `notifier`, which is a
    /// [`Party`](crate::Party), or [`Peers`](crate::Peers) of one that is none. A party that begins
    /// calls it of itself, for a parent that has forgotten. A party that recovers another, and polls a
    /// lock, polls it again then: nobody wakes it.
    ///
    /// **Blocks:** never.
    /// **Needs:** that `dead` does not run. Its parent has stopped it, or it has faulted; or it calls
    /// this itself, before it takes a lock. `notifier` reaches all parties of the arena.
    pub fn recover<N: Notifier>(&self, dead: PartyId, notifier: &N) -> Recovered {
        let members = notifier.members().with(dead);
        let mut recovered = Recovered::default();
        for word in self.words {
            match bury(word, dead, members) {
                Ok(true) => recovered.changed += 1,
                Ok(false) => (),
                Err(_) => recovered.corrupt += 1,
            }
        }
        // Always, and all of them: the dead one may have handed a lock over, or an earlier recovery may
        // have, and not have come to say so.
        for party in members.without(dead).iter() {
            notifier.notify(party);
        }
        recovered
    }

    fn open(&self, index: usize, kind: Kind, generation: u32) -> Result<Slot<'a, W>, OpenError> {
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
            let found = Identity::of(other);
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

/// A lock that a party gives up.
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
