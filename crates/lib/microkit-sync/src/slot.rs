//! Applies the transitions of a lock to its word in shared memory.
//!
//! Each transition is one compare-exchange of the whole word. So a party dies either before or
//! after the transition, and never leaves a partial change. [`State`] computes the new word. This
//! module only loads, compares and stores words. After a transition that releases the lock or hands
//! the lock over, this module does not access the word again.
//!
//! Ordering: every lock acquisition uses *acquire*, in the exchange or in the load that observes
//! the hand-over. Every release uses *release*. The fast paths `take_free` and `give_back` use only
//! these orderings. One exchange of [`Slot::change`] can both acquire and release, so `change` uses
//! `AcqRel`.

use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use crate::error::{LockError, RetireError};
use crate::layout::{LAST_GENERATION, TURN};
use crate::party::{Members, Notifier, Party, PartyId};
use crate::state::{Given, Identity, Leaving, Mode, State};
use crate::word::Word;

/// A word of the arena, with the identity of the lock that this party has opened in the word.
#[derive(Debug)]
pub(crate) struct Slot<'a, W> {
    word: &'a W,
    identity: Identity,
}

impl<W> Copy for Slot<'_, W> {}

impl<W> Clone for Slot<'_, W> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'a, W: Word> Slot<'a, W> {
    pub(crate) const fn new(word: &'a W, identity: Identity) -> Self {
        Self { word, identity }
    }

    pub(crate) fn is(&self, word: &W) -> bool {
        core::ptr::eq(self.word, word)
    }

    /// Takes a free and consistent mutex. Returns false if the mutex is in another state.
    #[inline]
    pub(crate) fn take_free(self, me: PartyId) -> bool {
        let (free, mine) = (self.identity.free(), self.identity.owned(me));
        self.word
            .compare_exchange(free, mine, Acquire, Relaxed)
            .is_ok()
    }

    /// Releases a mutex without waiters. Returns false if the mutex has waiters.
    #[inline]
    pub(crate) fn give_back(self, me: PartyId) -> bool {
        let (free, mine) = (self.identity.free(), self.identity.owned(me));
        self.word
            .compare_exchange(mine, free, Release, Relaxed)
            .is_ok()
    }

    /// Takes a free and consistent readers-writer lock. Returns false if the lock is in another
    /// state.
    #[inline]
    pub(crate) fn take_unused(self, me: PartyId, mode: Mode) -> bool {
        let word = self.word.load(Relaxed);
        if word & !TURN != self.identity.free() {
            return false;
        }
        let mine = self.identity.held(me, mode, word);
        let taken = self.word.compare_exchange(word, mine, Acquire, Relaxed);
        taken.is_ok()
    }

    /// Releases a readers-writer lock without waiters and without other holders. Returns false if
    /// the lock is in another state.
    #[inline]
    pub(crate) fn give_back_unwanted(self, me: PartyId, mode: Mode) -> bool {
        let word = self.word.load(Relaxed);
        let free = self.identity.free() | word & TURN;
        if word != self.identity.held(me, mode, word) {
            return false;
        }
        let given = self.word.compare_exchange(word, free, Release, Relaxed);
        given.is_ok()
    }

    /// Takes a free lock, or enters a lock that was handed over, or registers this party as a
    /// waiter.
    pub(crate) fn acquire<N: Notifier>(
        self,
        party: &Party<N>,
        mode: Mode,
    ) -> Result<Given, LockError> {
        self.change(party.members(), |state| state.acquire(party.id(), mode))
    }

    /// Acquires the lock as [`acquire`](Self::acquire) does, and waits until this party holds the
    /// lock. Returns whether the data is inconsistent.
    pub(crate) fn acquire_or_wait<N: Notifier>(
        self,
        party: &Party<N>,
        mode: Mode,
    ) -> Result<bool, LockError> {
        loop {
            match self.acquire(party, mode)? {
                Given::Yes { is_inconsistent } => return Ok(is_inconsistent),
                // A notification that arrived after the transition ends this wait at once.
                Given::NotYet => party.wait(),
            }
        }
    }

    pub(crate) fn try_acquire<N: Notifier>(
        self,
        party: &Party<N>,
        mode: Mode,
    ) -> Result<Given, LockError> {
        self.change(party.members(), |state| state.try_acquire(party.id(), mode))
    }

    /// Hands the lock over to the next waiters in one access, and then notifies these waiters. The
    /// word is not accessed again after the hand-over.
    pub(crate) fn release<N: Notifier>(
        self,
        party: &Party<N>,
        mode: Mode,
        leaving: Leaving,
    ) -> Result<(), LockError> {
        let members = party.members();
        let wake = self.change(members, |state| {
            state.release(party.id(), mode, leaving, members)
        })?;
        party.notify_all(wake);
        Ok(())
    }

    pub(crate) fn cancel<N: Notifier>(self, party: &Party<N>) -> Result<(), LockError> {
        let wake = self.change(party.members(), |state| state.cancel(party.id()))?;
        party.notify_all(wake);
        Ok(())
    }

    pub(crate) fn repair<N: Notifier>(self, party: &Party<N>) -> Result<(), LockError> {
        self.change(party.members(), |state| state.repair(party.id()))
    }

    /// Returns whether the lock is not recoverable, so that no party can take the lock again.
    pub(crate) fn is_not_recoverable<N: Notifier>(
        self,
        party: &Party<N>,
    ) -> Result<bool, LockError> {
        self.change(party.members(), |state| {
            Ok((state, state.is_not_recoverable()))
        })
    }

    /// Retires the lock, and returns the generation of the next lock in the word.
    pub(crate) fn retire<N: Notifier>(self, party: &Party<N>) -> Result<u32, RetireError> {
        let generation = self.identity.generation();
        if generation == LAST_GENERATION {
            return Err(RetireError::Spent);
        }
        let word = self.word.load(Acquire);
        if !self.read(word, party.members())?.is_unused() {
            return Err(RetireError::Busy);
        }
        let next = Identity::retired(generation + 1);
        match self.word.compare_exchange(word, next, AcqRel, Relaxed) {
            Ok(_) => Ok(generation + 1),
            Err(_) => Err(RetireError::Busy),
        }
    }

    /// Replaces the state by the result of `step`. If another party changes the word first, retries
    /// with the new state. An unchanged state is not stored.
    pub(crate) fn change<T>(
        self,
        members: Members,
        step: impl Fn(State) -> Result<(State, T), LockError>,
    ) -> Result<T, LockError> {
        let mut word = self.word.load(Acquire);
        loop {
            let before = self.read(word, members)?;
            let (after, result) = step(before)?;
            if after == before {
                return Ok(result);
            }
            let (old, new) = (before.word(), after.word());
            match self.word.compare_exchange(old, new, AcqRel, Acquire) {
                Ok(_) => return Ok(result),
                Err(now) => word = now,
            }
        }
    }

    fn read(self, word: u64, members: Members) -> Result<State, LockError> {
        if Identity::from_word(word) != self.identity {
            return Err(LockError::Gone);
        }
        State::read(word, members)
    }
}

/// Removes `dead` from a lock of any kind. Returns whether the word changed.
///
/// # Errors
///
/// Returns [`LockError::Corrupt`] if the word is not a valid lock of these parties. Such a word is
/// not changed.
pub(crate) fn recover<W: Word>(
    word: &W,
    dead: PartyId,
    members: Members,
) -> Result<bool, LockError> {
    let mut now = word.load(Acquire);
    loop {
        let before = State::read(now, members)?;
        let (after, _) = before.recover(dead);
        if after == before {
            return Ok(false);
        }
        match word.compare_exchange(before.word(), after.word(), AcqRel, Acquire) {
            Ok(_) => return Ok(true),
            Err(other) => now = other,
        }
    }
}

/// Creates the lock `identity` in a word, unless the word already holds this lock.
///
/// # Errors
///
/// Returns the word's value if the word holds a different lock or an invalid value.
pub(crate) fn make<W: Word>(word: &W, identity: Identity) -> Result<(), u64> {
    let none = Identity::retired(identity.generation());
    match word.compare_exchange(none, identity.free(), AcqRel, Acquire) {
        Ok(_) => Ok(()),
        Err(other) if Identity::from_word(other) == identity => Ok(()),
        Err(other) => Err(other),
    }
}
