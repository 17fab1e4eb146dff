//! The word of a lock, and how parties change it: each change is one access, which replaces the state
//! that it was worked out from.

use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use crate::error::{LockError, RetireError};
use crate::layout::{LAST_GENERATION, TURN};
use crate::party::{Members, Notifier, Party, PartyId};
use crate::state::{Given, How, Identity, Leaving, State};
use crate::word::Word;

/// A word of the arena, and the lock that it is meant to be.
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

    /// Takes a mutex for which nobody waits. Returns whether it was free, and consistent.
    #[inline]
    pub(crate) fn take_free(self, me: PartyId) -> bool {
        let (free, mine) = (self.identity.free(), self.identity.owned(me));
        self.word
            .compare_exchange(free, mine, Acquire, Relaxed)
            .is_ok()
    }

    /// Gives back a mutex for which nobody waits. Returns whether that was so.
    #[inline]
    pub(crate) fn give_back(self, me: PartyId) -> bool {
        let (free, mine) = (self.identity.free(), self.identity.owned(me));
        self.word
            .compare_exchange(mine, free, Release, Relaxed)
            .is_ok()
    }

    /// Takes a readers-writer lock that nobody has or waits for. Returns whether it was so, and
    /// consistent.
    #[inline]
    pub(crate) fn take_unused(self, me: PartyId, how: How) -> bool {
        let word = self.word.load(Relaxed);
        if word & !TURN != self.identity.free() {
            return false;
        }
        let mine = self.identity.held(me, how, word);
        let taken = self.word.compare_exchange(word, mine, Acquire, Relaxed);
        taken.is_ok()
    }

    /// Gives back a readers-writer lock that nobody else has or waits for. Returns whether that was
    /// so.
    #[inline]
    pub(crate) fn give_back_unwanted(self, me: PartyId, how: How) -> bool {
        let word = self.word.load(Relaxed);
        let free = self.identity.free() | word & TURN;
        if word != self.identity.held(me, how, word) {
            return false;
        }
        let given = self.word.compare_exchange(word, free, Release, Relaxed);
        given.is_ok()
    }

    /// Takes the lock, finds that it was handed over, or is among those that wait from now on.
    pub(crate) fn acquire<N: Notifier>(
        self,
        party: &Party<N>,
        how: How,
    ) -> Result<Given, LockError> {
        self.change(party.members(), |state| state.acquire(party.id(), how))
    }

    /// As [`acquire`](Self::acquire), but waits until it has the lock.
    pub(crate) fn acquire_or_wait<N: Notifier>(
        self,
        party: &Party<N>,
        how: How,
    ) -> Result<bool, LockError> {
        loop {
            match self.acquire(party, how)? {
                Given::Yes { is_inconsistent } => return Ok(is_inconsistent),
                // A notification that has come meanwhile ends the wait at once.
                Given::NotYet => party.wait(),
            }
        }
    }

    pub(crate) fn try_acquire<N: Notifier>(
        self,
        party: &Party<N>,
        how: How,
    ) -> Result<Given, LockError> {
        self.change(party.members(), |state| state.try_acquire(party.id(), how))
    }

    /// Gives the lock to whoever is next, as one access, and wakes them; the word is not touched
    /// after that.
    pub(crate) fn release<N: Notifier>(
        self,
        party: &Party<N>,
        how: How,
        leaving: Leaving,
    ) -> Result<(), LockError> {
        let members = party.members();
        let wake = self.change(members, |state| {
            state.release(party.id(), how, leaving, members)
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

    /// Whether nobody gets this lock any more.
    pub(crate) fn is_not_recoverable<N: Notifier>(
        self,
        party: &Party<N>,
    ) -> Result<bool, LockError> {
        self.change(party.members(), |state| {
            Ok((state, state.is_not_recoverable()))
        })
    }

    /// Makes the word free for another lock; returns the generation of that.
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

    /// Replaces the state by what `step` makes of it; if another party comes first, of what that has
    /// left.
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
        if Identity::of(word) != self.identity {
            return Err(LockError::Gone);
        }
        State::read(word, members)
    }
}

/// Has `dead` leave the lock that is in a word, whichever that is. Returns whether there was anything
/// to do.
///
/// **Errors:** the word is as it was, and no lock of these parties.
pub(crate) fn bury<W: Word>(word: &W, dead: PartyId, members: Members) -> Result<bool, LockError> {
    let mut now = word.load(Acquire);
    loop {
        let before = State::read(now, members)?;
        let (after, _) = before.bury(dead);
        if after == before {
            return Ok(false);
        }
        match word.compare_exchange(before.word(), after.word(), AcqRel, Acquire) {
            Ok(_) => return Ok(true),
            Err(other) => now = other,
        }
    }
}

/// Makes a word the lock `identity`, unless it is that already. Returns the word that stood in the
/// way.
pub(crate) fn make<W: Word>(word: &W, identity: Identity) -> Result<(), u64> {
    let none = Identity::retired(identity.generation());
    match word.compare_exchange(none, identity.free(), AcqRel, Acquire) {
        Ok(_) => Ok(()),
        Err(other) if Identity::of(other) == identity => Ok(()),
        Err(other) => Err(other),
    }
}
