//! A lock that many have to read, or one to write.

use core::task::Poll;

use crate::error::{LockError, RetireError};
use crate::guard::{Acquired, ReadGuard, WriteGuard};
use crate::party::{Notifier, Party};
use crate::slot::Slot;
use crate::state::How;
use crate::word::{self, Word};

/// A lock that many parties have to read, or one to write:
/// [`Arena::rw_lock`](crate::Arena::rw_lock).
///
/// Who comes to read while another waits to write waits too; after one that has written, all that wait
/// to read have it, and after these the next that waits to write, in a circle. So none is passed over.
///
/// One that dies while it reads leaves the data as it was, and nobody is told.
#[derive(Debug)]
pub struct RwLock<'a, W = word::Default> {
    slot: Slot<'a, W>,
}

/// A lock that was given to read. If an owner has died, whoever reads can only look; the next that
/// writes can make the data right again.
type AcquiredToRead<'g, W, N> = Acquired<ReadGuard<'g, W, N>, ReadGuard<'g, W, N>>;

impl<'a, W: Word> RwLock<'a, W> {
    pub(crate) const fn new(slot: Slot<'a, W>) -> Self {
        Self { slot }
    }

    pub(crate) fn into_slot(self) -> Slot<'a, W> {
        self.slot
    }

    /// Takes the lock to read.
    ///
    /// **Blocks:** until it is this party's.
    /// **Errors:** [`LockError`].
    /// **Panics:** in a protection domain, if a call or a fault comes while it waits.
    #[inline]
    pub fn read<'g, N: Notifier>(
        &'g mut self,
        party: &'g Party<N>,
    ) -> Result<AcquiredToRead<'g, W, N>, LockError> {
        if self.slot.take_unused(party.id(), How::Read) {
            return Ok(Acquired::Consistent(ReadGuard::new(self.slot, party)));
        }
        self.read_slowly(party)
    }

    #[cold]
    fn read_slowly<'g, N: Notifier>(
        &'g mut self,
        party: &'g Party<N>,
    ) -> Result<AcquiredToRead<'g, W, N>, LockError> {
        let is_inconsistent = self.slot.acquire_or_wait(party, How::Read)?;
        Ok(ReadGuard::acquired(self.slot, party, is_inconsistent))
    }

    /// Takes the lock to write.
    ///
    /// **Blocks:** until it is this party's.
    /// **Errors:** [`LockError`].
    /// **Panics:** in a protection domain, if a call or a fault comes while it waits.
    #[inline]
    pub fn write<'g, N: Notifier>(
        &'g mut self,
        party: &'g Party<N>,
    ) -> Result<Acquired<WriteGuard<'g, W, N>>, LockError> {
        if self.slot.take_unused(party.id(), How::Write) {
            return Ok(Acquired::Consistent(WriteGuard::new(self.slot, party)));
        }
        self.write_slowly(party)
    }

    #[cold]
    fn write_slowly<'g, N: Notifier>(
        &'g mut self,
        party: &'g Party<N>,
    ) -> Result<Acquired<WriteGuard<'g, W, N>>, LockError> {
        let is_inconsistent = self.slot.acquire_or_wait(party, How::Write)?;
        Ok(WriteGuard::acquired(self.slot, party, is_inconsistent))
    }

    /// Takes the lock to read if that can be at once.
    ///
    /// **Blocks:** never.
    /// **Errors:** [`LockError`].
    pub fn try_read<'g, N: Notifier>(
        &'g mut self,
        party: &'g Party<N>,
    ) -> Result<Option<AcquiredToRead<'g, W, N>>, LockError> {
        let given = self.slot.try_acquire(party, How::Read)?;
        Ok(ReadGuard::given(self.slot, party, given))
    }

    /// Takes the lock to write if that can be at once.
    ///
    /// **Blocks:** never.
    /// **Errors:** [`LockError`].
    pub fn try_write<'g, N: Notifier>(
        &'g mut self,
        party: &'g Party<N>,
    ) -> Result<Option<Acquired<WriteGuard<'g, W, N>>>, LockError> {
        let given = self.slot.try_acquire(party, How::Write)?;
        Ok(WriteGuard::given(self.slot, party, given))
    }

    /// As [`Mutex::poll_lock`](crate::Mutex::poll_lock), to read.
    ///
    /// **Blocks:** never.
    /// **Errors:** [`LockError`].
    pub fn poll_read<'g, N: Notifier>(
        &'g mut self,
        party: &'g Party<N>,
    ) -> Result<Poll<AcquiredToRead<'g, W, N>>, LockError> {
        let given = self.slot.acquire(party, How::Read)?;
        Ok(match ReadGuard::given(self.slot, party, given) {
            Some(acquired) => Poll::Ready(acquired),
            None => Poll::Pending,
        })
    }

    /// As [`Mutex::poll_lock`](crate::Mutex::poll_lock), to write.
    ///
    /// **Blocks:** never.
    /// **Errors:** [`LockError`].
    pub fn poll_write<'g, N: Notifier>(
        &'g mut self,
        party: &'g Party<N>,
    ) -> Result<Poll<Acquired<WriteGuard<'g, W, N>>>, LockError> {
        let given = self.slot.acquire(party, How::Write)?;
        Ok(match WriteGuard::given(self.slot, party, given) {
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

    /// As [`Mutex::retire`](crate::Mutex::retire).
    ///
    /// **Blocks:** never.
    /// **Errors:** as there.
    pub fn retire<N: Notifier>(&mut self, party: &Party<N>) -> Result<u32, RetireError> {
        self.slot.retire(party)
    }
}
