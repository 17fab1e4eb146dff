//! To wait, without a lock, until what it guards has changed.

use core::task::Poll;

use crate::error::{LockError, RetireError};
use crate::guard::{Acquired, MutexGuard};
use crate::party::{Members, Notifier, Party};
use crate::slot::Slot;
use crate::state::{How, State};
use crate::word::{self, Word};

/// What parties wait for that have found, with a mutex, that there is nothing for them to do:
/// [`Arena::condition`](crate::Arena::condition).
///
/// Whoever has waited looks again whether what it has waited for is true. It may not be: another party
/// may have come first, or one has died, when all that wait are woken, since the dead one may have
/// taken a signal that was theirs.
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

    /// Gives the mutex back, waits for a signal, and takes the mutex again.
    ///
    /// **Blocks:** until there is a signal, or a party has died, and the mutex is this party's.
    /// **Errors:** [`LockError`]: of the mutex, too.
    /// **Panics:** in a protection domain, if a call or a fault comes while it waits.
    pub fn wait<'g, N: Notifier>(
        &mut self,
        guard: MutexGuard<'g, W, N>,
    ) -> Result<Acquired<MutexGuard<'g, W, N>>, LockError> {
        let (mutex, party) = guard.parts();
        self.start_wait(guard)?;
        while self.poll_wait(party)?.is_pending() {
            // Nobody who could give a signal gets the mutex then.
            if mutex.is_not_recoverable(party)? {
                self.cancel(party)?;
                return Err(LockError::NotRecoverable);
            }
            party.wait();
        }
        let is_inconsistent = mutex.acquire_or_wait(party, How::Write)?;
        Ok(MutexGuard::acquired(mutex, party, is_inconsistent))
    }

    /// Has this party among those that wait for a signal, and gives the mutex back: the way of a
    /// handler, which returns then, and [polls](Self::poll_wait) when it is next notified.
    ///
    /// **Blocks:** never.
    /// **Errors:** [`LockError`].
    pub fn start_wait<N: Notifier>(
        &mut self,
        guard: MutexGuard<'_, W, N>,
    ) -> Result<(), LockError> {
        let (_, party) = guard.parts();
        // With the mutex: who gives a signal later finds this party waiting.
        self.change(party, |state| (state.await_signal(party.id()), ()))
    }

    /// Whether there was a signal for this party, which then waits for none any more. It takes the
    /// mutex next, and looks.
    ///
    /// A handler that polls looks besides whether the mutex is not recoverable: nobody gives a signal
    /// then.
    ///
    /// **Blocks:** never.
    /// **Errors:** [`LockError`].
    pub fn poll_wait<N: Notifier>(&mut self, party: &Party<N>) -> Result<Poll<()>, LockError> {
        self.change(party, |state| match state.waiting().contains(party.id()) {
            true => (state, Poll::Pending),
            false => (state, Poll::Ready(())),
        })
    }

    /// Has this party wait no more for a signal. If there was one for it, the next has it.
    ///
    /// **Blocks:** never.
    /// **Errors:** [`LockError`].
    pub fn cancel<N: Notifier>(&mut self, party: &Party<N>) -> Result<(), LockError> {
        let still_waited = self.change(party, |state| state.cease(party.id()))?;
        match still_waited {
            true => Ok(()),
            false => self.notify_one(party),
        }
    }

    /// Gives a signal to one of those that wait: in a circle, so that none is passed over.
    ///
    /// **Blocks:** never.
    /// **Errors:** [`LockError`].
    pub fn notify_one<N: Notifier>(&mut self, party: &Party<N>) -> Result<(), LockError> {
        self.signal(party, State::signal_one)
    }

    /// Gives a signal to all that wait.
    ///
    /// **Blocks:** never.
    /// **Errors:** [`LockError`].
    pub fn notify_all<N: Notifier>(&mut self, party: &Party<N>) -> Result<(), LockError> {
        self.signal(party, State::signal_all)
    }

    /// As [`Mutex::retire`](crate::Mutex::retire).
    ///
    /// **Blocks:** never.
    /// **Errors:** as there.
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
