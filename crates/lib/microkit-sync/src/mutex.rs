//! A lock that one party has at a time.

use core::task::Poll;

use crate::error::{LockError, RetireError};
use crate::guard::{Acquired, MutexGuard};
use crate::party::{Notifier, Party};
use crate::slot::Slot;
use crate::state::{Given, How};
use crate::word::{self, Word};

/// A lock that one party has at a time: [`Arena::mutex`](crate::Arena::mutex).
///
/// It is handed from each owner to the next that waits, in a circle, so that none is passed over.
#[derive(Debug)]
pub struct Mutex<'a, W = word::Default> {
    slot: Slot<'a, W>,
}

impl<'a, W: Word> Mutex<'a, W> {
    pub(crate) const fn new(slot: Slot<'a, W>) -> Self {
        Self { slot }
    }

    pub(crate) fn into_slot(self) -> Slot<'a, W> {
        self.slot
    }

    /// Takes the lock.
    ///
    /// **Blocks:** until it is this party's.
    /// **Errors:** [`LockError`].
    /// **Panics:** in a protection domain, if a call or a fault comes while it waits.
    #[inline]
    pub fn lock<'g, N: Notifier>(
        &'g mut self,
        party: &'g Party<N>,
    ) -> Result<Acquired<MutexGuard<'g, W, N>>, LockError> {
        if self.slot.take_free(party.id()) {
            return Ok(Acquired::Consistent(MutexGuard::new(self.slot, party)));
        }
        self.lock_slowly(party)
    }

    #[cold]
    fn lock_slowly<'g, N: Notifier>(
        &'g mut self,
        party: &'g Party<N>,
    ) -> Result<Acquired<MutexGuard<'g, W, N>>, LockError> {
        let is_inconsistent = self.slot.acquire_or_wait(party, How::Write)?;
        Ok(MutexGuard::acquired(self.slot, party, is_inconsistent))
    }

    /// Takes the lock if it is free, or was handed to this party.
    ///
    /// **Blocks:** never.
    /// **Errors:** [`LockError`].
    pub fn try_lock<'g, N: Notifier>(
        &'g mut self,
        party: &'g Party<N>,
    ) -> Result<Option<Acquired<MutexGuard<'g, W, N>>>, LockError> {
        let given = self.slot.try_acquire(party, How::Write)?;
        Ok(MutexGuard::given(self.slot, party, given))
    }

    /// Takes the lock, or has this party among those that wait for it: the way of a handler, which
    /// returns then, and polls again when it is next notified.
    ///
    /// From then on the lock can be this party's at any time, and nobody else gets it until this party
    /// has polled and given it back, or has called [`cancel`](Self::cancel).
    ///
    /// **Blocks:** never.
    /// **Errors:** [`LockError`].
    pub fn poll_lock<'g, N: Notifier>(
        &'g mut self,
        party: &'g Party<N>,
    ) -> Result<Poll<Acquired<MutexGuard<'g, W, N>>>, LockError> {
        let given = match self.slot.take_free(party.id()) {
            true => Given::Yes {
                is_inconsistent: false,
            },
            false => self.slot.acquire(party, How::Write)?,
        };
        Ok(match MutexGuard::given(self.slot, party, given) {
            Some(acquired) => Poll::Ready(acquired),
            None => Poll::Pending,
        })
    }

    /// Has this party wait no more. If the lock was handed to it meanwhile, the next one has it.
    ///
    /// **Blocks:** never.
    /// **Errors:** [`LockError`].
    pub fn cancel<N: Notifier>(&mut self, party: &Party<N>) -> Result<(), LockError> {
        self.slot.cancel(party)
    }

    /// Ends this lock, which nobody has: its word can be another one, of any kind, with the generation
    /// that is returned. Other parties that have it open get [`LockError::Gone`].
    ///
    /// **Blocks:** never.
    /// **Errors:** [`RetireError::Busy`] if anybody has it or waits for it; [`RetireError::Spent`] if
    /// it was the last one of the word.
    pub fn retire<N: Notifier>(&mut self, party: &Party<N>) -> Result<u32, RetireError> {
        self.slot.retire(party)
    }
}
