//! The readers-writer lock: many parties read, or one party writes.

use core::task::Poll;

use crate::error::{LockError, RetireError};
use crate::guard::{Acquired, ReadGuard, WriteGuard};
use crate::party::{Notifier, Party};
use crate::slot::Slot;
use crate::state::Mode;
use crate::word::{self, Word};

/// A lock that many parties can hold to read, or one party can hold to write.
/// [`Arena::rw_lock`](crate::Arena::rw_lock) opens a readers-writer lock.
///
/// No party starves. A reader that arrives while a writer waits must also wait. After a writer, all
/// waiting readers get the lock. After these readers, the next waiting writer gets the lock, in
/// circular order.
///
/// A reader does not change the data, so the death of a reader is not reported to the next owner.
///
/// ```
/// # use microkit_sync::{Arena, Party, PartyId, Peers};
/// # use sel4_microkit::SharedWord;
/// # let words = [const { SharedWord::new(0) }; 2];
/// # let arena = Arena::new(&words);
/// # let party = Party::new(PartyId::new(0), Peers::new(&[]));
/// let mut lock = arena.rw_lock(0, 0)?;
///
/// let guard = lock.write(&party)?.or_repair(|| { /* Repair the data. */ })?;
/// // Write the data.
/// drop(guard);
///
/// let acquired = lock.read(&party)?;
/// // Read the data. `Acquired::OwnerDied` says that it may be inconsistent.
/// drop(acquired);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct RwLock<'a, W = word::Default> {
    slot: Slot<'a, W>,
}

/// A lock that was acquired to read. Both variants contain the same guard, because a reader cannot
/// repair the data after the death of a writer. Only the next writer can repair the data.
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
    /// **Blocking:** until this party holds the lock.
    ///
    /// # Errors
    ///
    /// Returns a [`LockError`] if the lock cannot be used.
    ///
    /// # Panics
    ///
    /// Panics in a protection domain (PD) if a protected procedure call or a fault arrives during
    /// the wait. A PD that is called, or that has children, must use [`poll_read`](Self::poll_read)
    /// instead.
    #[inline]
    pub fn read<'g, N: Notifier>(
        &'g mut self,
        party: &'g Party<N>,
    ) -> Result<AcquiredToRead<'g, W, N>, LockError> {
        if self.slot.take_unused(party.id(), Mode::Read) {
            return Ok(Acquired::Consistent(ReadGuard::new(self.slot, party)));
        }
        self.read_slowly(party)
    }

    #[cold]
    fn read_slowly<'g, N: Notifier>(
        &'g mut self,
        party: &'g Party<N>,
    ) -> Result<AcquiredToRead<'g, W, N>, LockError> {
        let is_inconsistent = self.slot.acquire_or_wait(party, Mode::Read)?;
        Ok(ReadGuard::acquired(self.slot, party, is_inconsistent))
    }

    /// Takes the lock to write.
    ///
    /// **Blocking:** until this party holds the lock.
    ///
    /// # Errors
    ///
    /// Returns a [`LockError`] if the lock cannot be used.
    ///
    /// # Panics
    ///
    /// Panics in a protection domain (PD) if a protected procedure call or a fault arrives during
    /// the wait. A PD that is called, or that has children, must use
    /// [`poll_write`](Self::poll_write) instead.
    #[inline]
    pub fn write<'g, N: Notifier>(
        &'g mut self,
        party: &'g Party<N>,
    ) -> Result<Acquired<WriteGuard<'g, W, N>>, LockError> {
        if self.slot.take_unused(party.id(), Mode::Write) {
            return Ok(Acquired::Consistent(WriteGuard::new(self.slot, party)));
        }
        self.write_slowly(party)
    }

    #[cold]
    fn write_slowly<'g, N: Notifier>(
        &'g mut self,
        party: &'g Party<N>,
    ) -> Result<Acquired<WriteGuard<'g, W, N>>, LockError> {
        let is_inconsistent = self.slot.acquire_or_wait(party, Mode::Write)?;
        Ok(WriteGuard::acquired(self.slot, party, is_inconsistent))
    }

    /// Takes the lock to read if the lock is available now. Otherwise returns `None`.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns a [`LockError`] if the lock cannot be used.
    pub fn try_read<'g, N: Notifier>(
        &'g mut self,
        party: &'g Party<N>,
    ) -> Result<Option<AcquiredToRead<'g, W, N>>, LockError> {
        let given = self.slot.try_acquire(party, Mode::Read)?;
        Ok(ReadGuard::given(self.slot, party, given))
    }

    /// Takes the lock to write if the lock is available now. Otherwise returns `None`.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns a [`LockError`] if the lock cannot be used.
    pub fn try_write<'g, N: Notifier>(
        &'g mut self,
        party: &'g Party<N>,
    ) -> Result<Option<Acquired<WriteGuard<'g, W, N>>>, LockError> {
        let given = self.slot.try_acquire(party, Mode::Write)?;
        Ok(WriteGuard::given(self.slot, party, given))
    }

    /// Takes the lock to read, or registers this party as a waiter, in the same way as
    /// [`Mutex::poll_lock`](crate::Mutex::poll_lock).
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns a [`LockError`] if the lock cannot be used.
    ///
    /// # Examples
    ///
    /// ```
    /// # use microkit_sync::{Arena, Party, PartyId, Peers};
    /// # use sel4_microkit::SharedWord;
    /// # let words = [const { SharedWord::new(0) }; 2];
    /// # let arena = Arena::new(&words);
    /// # let party = Party::new(PartyId::new(0), Peers::new(&[]));
    /// # use core::task::Poll;
    /// let mut lock = arena.rw_lock(0, 0)?;
    /// if let Poll::Ready(acquired) = lock.poll_read(&party)? {
    ///     // Read the data.
    ///     drop(acquired);
    /// }
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn poll_read<'g, N: Notifier>(
        &'g mut self,
        party: &'g Party<N>,
    ) -> Result<Poll<AcquiredToRead<'g, W, N>>, LockError> {
        let given = self.slot.acquire(party, Mode::Read)?;
        Ok(match ReadGuard::given(self.slot, party, given) {
            Some(acquired) => Poll::Ready(acquired),
            None => Poll::Pending,
        })
    }

    /// Takes the lock to write, or registers this party as a waiter, in the same way as
    /// [`Mutex::poll_lock`](crate::Mutex::poll_lock).
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns a [`LockError`] if the lock cannot be used.
    pub fn poll_write<'g, N: Notifier>(
        &'g mut self,
        party: &'g Party<N>,
    ) -> Result<Poll<Acquired<WriteGuard<'g, W, N>>>, LockError> {
        let given = self.slot.acquire(party, Mode::Write)?;
        Ok(match WriteGuard::given(self.slot, party, given) {
            Some(acquired) => Poll::Ready(acquired),
            None => Poll::Pending,
        })
    }

    /// Stops waiting for the lock. If the lock was already handed over to this party, passes the
    /// lock on to the next waiter.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`LockError::Held`] if this party holds the lock to write. Returns another
    /// [`LockError`] if the lock cannot be used.
    pub fn cancel<N: Notifier>(&mut self, party: &Party<N>) -> Result<(), LockError> {
        self.slot.cancel(party)
    }

    /// Retires this lock, and returns the generation of the next lock in its word, in the same way
    /// as [`Mutex::retire`](crate::Mutex::retire).
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns a [`RetireError`] in the same cases as [`Mutex::retire`](crate::Mutex::retire).
    pub fn retire<N: Notifier>(&mut self, party: &Party<N>) -> Result<u32, RetireError> {
        self.slot.retire(party)
    }
}
