//! The mutex: a lock that one party owns at a time.

use core::task::Poll;

use crate::error::{LockError, RetireError};
use crate::guard::{Acquired, MutexGuard};
use crate::party::{Notifier, Party};
use crate::slot::Slot;
use crate::state::{Given, Mode};
use crate::word::{self, Word};

/// A lock that one party owns at a time. [`Arena::mutex`](crate::Arena::mutex) opens a mutex.
///
/// Each owner hands the lock over to the next waiter, in circular order. So no waiter starves.
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
    /// **Blocking:** until this party owns the lock.
    ///
    /// # Errors
    ///
    /// Returns a [`LockError`] if the lock cannot be used.
    ///
    /// # Panics
    ///
    /// Panics in a protection domain (PD) if a protected procedure call or a fault arrives during
    /// the wait. A PD that is called, or that has children, must use [`poll_lock`](Self::poll_lock)
    /// instead.
    ///
    /// # Examples
    ///
    /// ```
    /// # use microkit_sync::{Arena, Party, PartyId, Peers};
    /// # use sel4_microkit::SharedWord;
    /// # let words = [const { SharedWord::new(0) }; 2];
    /// # let arena = Arena::new(&words);
    /// # let party = Party::new(PartyId::new(0), Peers::new(&[]));
    /// let mut mutex = arena.mutex(0, 0)?;
    ///
    /// let guard = mutex.lock(&party)?.or_repair(|| {
    ///     // An owner died. Make the data consistent again.
    /// })?;
    /// // Use the data.
    /// drop(guard);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
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
        let is_inconsistent = self.slot.acquire_or_wait(party, Mode::Write)?;
        Ok(MutexGuard::acquired(self.slot, party, is_inconsistent))
    }

    /// Takes the lock if the lock is free or was handed over to this party. Otherwise returns
    /// `None`.
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
    /// let mut mutex = arena.mutex(0, 0)?;
    /// if let Some(acquired) = mutex.try_lock(&party)? {
    ///     let _guard = acquired.or_repair(|| { /* Repair the data. */ })?;
    /// }
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn try_lock<'g, N: Notifier>(
        &'g mut self,
        party: &'g Party<N>,
    ) -> Result<Option<Acquired<MutexGuard<'g, W, N>>>, LockError> {
        let given = self.slot.try_acquire(party, Mode::Write)?;
        Ok(MutexGuard::given(self.slot, party, given))
    }

    /// Takes the lock, or registers this party as a waiter.
    ///
    /// If the result is pending, the handler of a PD returns, and polls again at the next
    /// notification. After the first poll, the lock can be handed over to this party at any time.
    /// Other parties then wait until this party polls and releases the lock, or calls
    /// [`cancel`](Self::cancel).
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
    /// # use core::task::Poll;
    /// # use microkit_sync::{Arena, LockError, Mutex, Party, PartyId, Peers};
    /// # use sel4_microkit::SharedWord;
    /// /// Called by the handler's `notified`.
    /// fn work(lock: &mut Mutex<'_>, party: &Party) -> Result<(), LockError> {
    ///     if let Poll::Ready(acquired) = lock.poll_lock(party)? {
    ///         let _guard = acquired.or_repair(|| { /* Repair the data. */ })?;
    ///         // Use the data.
    ///     }
    ///     Ok(())
    /// }
    /// # let words = [const { SharedWord::new(0) }; 2];
    /// # let mut mutex = Arena::new(&words).mutex(0, 0)?;
    /// # work(&mut mutex, &Party::new(PartyId::new(0), Peers::new(&[])))?;
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn poll_lock<'g, N: Notifier>(
        &'g mut self,
        party: &'g Party<N>,
    ) -> Result<Poll<Acquired<MutexGuard<'g, W, N>>>, LockError> {
        let given = match self.slot.take_free(party.id()) {
            true => Given::Yes {
                is_inconsistent: false,
            },
            false => self.slot.acquire(party, Mode::Write)?,
        };
        Ok(match MutexGuard::given(self.slot, party, given) {
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
    /// Returns [`LockError::Held`] if this party owns the lock. Returns another [`LockError`] if
    /// the lock cannot be used.
    ///
    /// # Examples
    ///
    /// ```
    /// # use microkit_sync::{Arena, Party, PartyId, Peers};
    /// # use sel4_microkit::SharedWord;
    /// # let words = [const { SharedWord::new(0) }; 2];
    /// # let arena = Arena::new(&words);
    /// # let party = Party::new(PartyId::new(0), Peers::new(&[]));
    /// let mut mutex = arena.mutex(0, 0)?;
    /// if mutex.poll_lock(&party)?.is_pending() {
    ///     // A timer expires before the lock arrives.
    ///     mutex.cancel(&party)?;
    /// }
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn cancel<N: Notifier>(&mut self, party: &Party<N>) -> Result<(), LockError> {
        self.slot.cancel(party)
    }

    /// Retires this lock, and returns the generation of the next lock in its word.
    ///
    /// The next lock can be of any kind. [`Arena::close`](crate::Arena::close) has an example.
    /// Other parties that still have this lock open get [`LockError::Gone`].
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`RetireError::Busy`] if any party owns the lock or waits for it. Returns
    /// [`RetireError::Spent`] if the word has used all its generations. Returns
    /// [`RetireError::Lock`] if the lock cannot be used.
    pub fn retire<N: Notifier>(&mut self, party: &Party<N>) -> Result<u32, RetireError> {
        self.slot.retire(party)
    }
}
