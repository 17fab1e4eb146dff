//! The condition variable: a party releases the mutex and waits until the protected data has
//! changed.

use core::task::Poll;

use crate::error::{LockError, RetireError};
use crate::guard::{Acquired, MutexGuard};
use crate::party::{Members, Notifier, Party};
use crate::slot::Slot;
use crate::state::{Mode, State};
use crate::word::{self, Word};

/// A condition variable, on which parties wait without owning the mutex.
/// [`Arena::condition`](crate::Arena::condition) opens a condition.
///
/// After a wait, check the data again, because another party may have run first. When a party dies,
/// all waiters are woken, because the dead party may have consumed a signal that another waiter
/// needed.
#[derive(Debug)]
pub struct Condition<'a, W = word::Default> {
    slot: Slot<'a, W>,
}

impl<'a, W: Word> Condition<'a, W> {
    pub(crate) const fn new(slot: Slot<'a, W>) -> Self {
        Self { slot }
    }

    pub(crate) fn into_slot(self) -> Slot<'a, W> {
        self.slot
    }

    /// Releases the mutex, waits for a signal, and takes the mutex again.
    ///
    /// **Blocking:** until a signal is sent or a party dies, and then until this party owns the
    /// mutex.
    ///
    /// # Errors
    ///
    /// Returns a [`LockError`] if the condition or the mutex cannot be used.
    ///
    /// # Panics
    ///
    /// Panics in a protection domain (PD) if a protected procedure call or a fault arrives during
    /// the wait. A PD that is called, or that has children, must use
    /// [`start_wait`](Self::start_wait) instead.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use microkit_sync::{Arena, Party, PartyId, Peers};
    /// # use sel4_microkit::SharedWord;
    /// # let words = [const { SharedWord::new(0) }; 2];
    /// # let arena = Arena::new(&words);
    /// # let party = Party::new(PartyId::new(0), Peers::new(&[]));
    /// # use core::sync::atomic::Ordering::Relaxed;
    /// # let data = SharedWord::new(0);
    /// let (mut mutex, mut changed) = (arena.mutex(0, 0)?, arena.condition(1, 0)?);
    ///
    /// let mut guard = mutex.lock(&party)?.or_repair(|| ())?;
    /// while data.load(Relaxed) == 0 {
    ///     guard = changed.wait(guard)?.or_repair(|| ())?;
    /// }
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn wait<'g, N: Notifier>(
        &mut self,
        guard: MutexGuard<'g, W, N>,
    ) -> Result<Acquired<MutexGuard<'g, W, N>>, LockError> {
        let (mutex, party) = guard.parts();
        self.start_wait(guard)?;
        while self.poll_wait(party)?.is_pending() {
            // No party can take the mutex any more, so a signal would never come.
            if mutex.is_not_recoverable(party)? {
                self.cancel(party)?;
                return Err(LockError::NotRecoverable);
            }
            party.wait();
        }
        let is_inconsistent = mutex.acquire_or_wait(party, Mode::Write)?;
        Ok(MutexGuard::acquired(mutex, party, is_inconsistent))
    }

    /// Registers this party as a waiter for a signal, and releases the mutex.
    ///
    /// The handler of a PD then returns, and calls [`poll_wait`](Self::poll_wait) at the next
    /// notification.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns a [`LockError`] if the condition cannot be used.
    pub fn start_wait<N: Notifier>(
        &mut self,
        guard: MutexGuard<'_, W, N>,
    ) -> Result<(), LockError> {
        let (_, party) = guard.parts();
        // Register while this party still owns the mutex. Another party must own the mutex before
        // it changes the data. So this party is registered before the other party sends a signal.
        self.change(party, |state| (state.await_signal(party.id()), ()))
    }

    /// Returns whether this party has received a signal since [`start_wait`](Self::start_wait).
    ///
    /// After the signal, this party no longer waits. The party must then take the mutex and check
    /// the data.
    ///
    /// While the result is pending, a handler must also check that the mutex is still recoverable,
    /// for example with [`Mutex::try_lock`](crate::Mutex::try_lock). If the mutex is not
    /// recoverable, a signal never comes.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns a [`LockError`] if the condition cannot be used.
    ///
    /// # Examples
    ///
    /// ```
    /// # use microkit_sync::{Arena, Party, PartyId, Peers};
    /// # use sel4_microkit::SharedWord;
    /// # let words = [const { SharedWord::new(0) }; 2];
    /// # let arena = Arena::new(&words);
    /// # let party = Party::new(PartyId::new(0), Peers::new(&[]));
    /// let (mut mutex, mut changed) = (arena.mutex(0, 0)?, arena.condition(1, 0)?);
    ///
    /// let guard = mutex.lock(&party)?.or_repair(|| ())?;
    /// changed.start_wait(guard)?;
    /// assert!(changed.poll_wait(&party)?.is_pending());
    ///
    /// changed.notify_one(&party)?; // Another party does this.
    /// assert!(changed.poll_wait(&party)?.is_ready());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn poll_wait<N: Notifier>(&mut self, party: &Party<N>) -> Result<Poll<()>, LockError> {
        self.change(party, |state| match state.waiting().contains(party.id()) {
            true => (state, Poll::Pending),
            false => (state, Poll::Ready(())),
        })
    }

    /// Stops waiting for a signal. If this party has already received a signal, passes the signal
    /// on to the next waiter.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns a [`LockError`] if the condition cannot be used.
    pub fn cancel<N: Notifier>(&mut self, party: &Party<N>) -> Result<(), LockError> {
        let still_waited = self.change(party, |state| state.stop_waiting(party.id()))?;
        match still_waited {
            true => Ok(()),
            false => self.notify_one(party),
        }
    }

    /// Sends a signal to one waiter. Waiters are served in circular order, so no waiter starves.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns a [`LockError`] if the condition cannot be used.
    pub fn notify_one<N: Notifier>(&mut self, party: &Party<N>) -> Result<(), LockError> {
        self.signal(party, State::signal_one)
    }

    /// Sends a signal to all waiters.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns a [`LockError`] if the condition cannot be used.
    ///
    /// # Examples
    ///
    /// ```
    /// # use microkit_sync::{Arena, Party, PartyId, Peers};
    /// # use sel4_microkit::SharedWord;
    /// # let words = [const { SharedWord::new(0) }; 2];
    /// # let arena = Arena::new(&words);
    /// # let party = Party::new(PartyId::new(0), Peers::new(&[]));
    /// let (mut mutex, mut changed) = (arena.mutex(0, 0)?, arena.condition(1, 0)?);
    /// let guard = mutex.lock(&party)?.or_repair(|| ())?;
    /// // Change the data.
    /// changed.notify_all(&party)?;
    /// drop(guard);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn notify_all<N: Notifier>(&mut self, party: &Party<N>) -> Result<(), LockError> {
        self.signal(party, State::signal_all)
    }

    /// Retires this condition, and returns the generation of the next lock in its word, in the same
    /// way as [`Mutex::retire`](crate::Mutex::retire).
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns a [`RetireError`] in the same cases as [`Mutex::retire`](crate::Mutex::retire).
    pub fn retire<N: Notifier>(&mut self, party: &Party<N>) -> Result<u32, RetireError> {
        self.slot.retire(party)
    }

    fn signal<N: Notifier>(
        &mut self,
        party: &Party<N>,
        signal: fn(State) -> (State, Members),
    ) -> Result<(), LockError> {
        let wake = self.change(party, signal)?;
        party.notify_all(wake);
        Ok(())
    }

    fn change<N: Notifier, T>(
        &mut self,
        party: &Party<N>,
        step: impl Fn(State) -> (State, T),
    ) -> Result<T, LockError> {
        self.slot.change(party.members(), |state| Ok(step(state)))
    }
}
