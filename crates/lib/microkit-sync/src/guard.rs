//! The guards of an acquired lock. Dropping a guard releases the lock.

use crate::error::LockError;
use crate::party::{Notifier, Party};
use crate::slot::Slot;
use crate::state::{Given, Leaving, Mode};
use crate::word::{self, Word};

/// An acquired lock, with the state of the protected data.
#[derive(Debug)]
#[must_use = "a guard that is dropped at once releases the lock"]
pub enum Acquired<G, D = Inconsistent<G>> {
    /// The last owner left the data consistent.
    Consistent(G),
    /// An owner died while it held the lock. The data may be half written.
    OwnerDied(D),
}

impl<G: Repair> Acquired<G> {
    /// Returns the guard. If an owner died, first runs `repair` and marks the data consistent.
    ///
    /// # Errors
    ///
    /// Returns [`LockError::Corrupt`] or [`LockError::Gone`] if another PD has overwritten the
    /// word.
    ///
    /// # Examples
    ///
    /// ```
    /// # use microkit_sync::{Arena, Party, PartyId, Peers};
    /// # use sel4_microkit::SharedWord;
    /// # let words = [const { SharedWord::new(0) }; 2];
    /// # let arena = Arena::new(&words);
    /// # let party = Party::new(PartyId::new(0), Peers::new(&[]));
    /// # use core::sync::atomic::Ordering::Relaxed;
    /// # let (first, second) = (SharedWord::new(1), SharedWord::new(1));
    /// let mut mutex = arena.mutex(0, 0)?;
    /// let guard = mutex.lock(&party)?.or_repair(|| {
    ///     second.store(first.load(Relaxed), Relaxed);
    /// })?;
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn or_repair(self, repair: impl FnOnce()) -> Result<G, LockError> {
        match self {
            Self::Consistent(guard) => Ok(guard),
            Self::OwnerDied(guard) => {
                repair();
                guard.mark_consistent()
            }
        }
    }
}

/// The guard of a lock whose last owner died while it held the lock.
///
/// If this guard is dropped without [`mark_consistent`](Self::mark_consistent), no party can take
/// the lock again. All waiters get [`LockError::NotRecoverable`].
#[derive(Debug)]
#[must_use = "if it is dropped without `mark_consistent`, nobody can take the lock again"]
pub struct Inconsistent<G: Repair>(G);

impl<G: Repair> Inconsistent<G> {
    /// Marks the data consistent, and returns the guard. Call this method after repairing the data.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`LockError::Corrupt`] or [`LockError::Gone`] if another PD has overwritten the
    /// word.
    ///
    /// # Examples
    ///
    /// ```
    /// # use microkit_sync::{Acquired, Arena, Party, PartyId, Peers};
    /// # use sel4_microkit::SharedWord;
    /// # let words = [const { SharedWord::new(0) }; 2];
    /// # let arena = Arena::new(&words);
    /// # let party = Party::new(PartyId::new(0), Peers::new(&[]));
    /// let mut mutex = arena.mutex(0, 0)?;
    /// match mutex.lock(&party)? {
    ///     Acquired::Consistent(_guard) => { /* Use the data. */ }
    ///     Acquired::OwnerDied(guard) => {
    ///         // Repair the data, and then:
    ///         let _guard = guard.mark_consistent()?;
    ///     }
    /// }
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn mark_consistent(self) -> Result<G, LockError> {
        let Self(mut guard) = self;
        guard.repair()?;
        Ok(guard)
    }
}

/// A guard of exclusive ownership, which can repair the data. [`MutexGuard`] and [`WriteGuard`]
/// implement this trait.
pub trait Repair: sealed::Repair {}

pub(crate) mod sealed {
    use crate::error::LockError;

    pub trait Repair {
        fn repair(&mut self) -> Result<(), LockError>;
    }
}

/// The common part of all guards.
#[derive(Debug)]
struct Hold<'g, W: Word, N: Notifier> {
    slot: Slot<'g, W>,
    party: &'g Party<N>,
    leaving: Leaving,
}

impl<'g, W: Word, N: Notifier> Hold<'g, W, N> {
    fn new(slot: Slot<'g, W>, party: &'g Party<N>) -> Self {
        Self {
            slot,
            party,
            leaving: Leaving::AsItWas,
        }
    }

    fn repair(&mut self) -> Result<(), LockError> {
        self.slot.repair(self.party)?;
        self.leaving = Leaving::AsItWas;
        Ok(())
    }

    /// Releases the lock. An error means that another PD has overwritten the word. The error is
    /// ignored, because `drop` cannot report an error.
    fn release(&self, mode: Mode) {
        let _ = self.slot.release(self.party, mode, self.leaving);
    }
}

macro_rules! guards {
    ($($(#[$doc:meta])* $guard:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            #[must_use = "a guard that is dropped at once releases the lock"]
            pub struct $guard<'g, W: Word = word::Default, N: Notifier = crate::Peers>(Hold<'g, W, N>);

            impl<'g, W: Word, N: Notifier> $guard<'g, W, N> {
                pub(crate) fn new(slot: Slot<'g, W>, party: &'g Party<N>) -> Self {
                    Self(Hold::new(slot, party))
                }
            }
        )*
    };
}

guards! {
    /// The guard of a mutex that this party owns.
    MutexGuard;
    /// The guard of a readers-writer lock that this party holds to write.
    WriteGuard;
    /// The guard of a readers-writer lock that this party holds to read.
    ReadGuard;
}

macro_rules! exclusive_guards {
    ($($guard:ident),*) => {
        $(
            impl<'g, W: Word, N: Notifier> $guard<'g, W, N> {
                pub(crate) fn acquired(
                    slot: Slot<'g, W>,
                    party: &'g Party<N>,
                    is_inconsistent: bool,
                ) -> Acquired<Self> {
                    let mut guard = Self::new(slot, party);
                    if is_inconsistent {
                        guard.0.leaving = Leaving::Abandoned;
                        return Acquired::OwnerDied(Inconsistent(guard));
                    }
                    Acquired::Consistent(guard)
                }

                pub(crate) fn given(
                    slot: Slot<'g, W>,
                    party: &'g Party<N>,
                    given: Given,
                ) -> Option<Acquired<Self>> {
                    match given {
                        Given::NotYet => None,
                        Given::Yes { is_inconsistent } => {
                            Some(Self::acquired(slot, party, is_inconsistent))
                        }
                    }
                }
            }

            impl<W: Word, N: Notifier> Repair for $guard<'_, W, N> {}

            impl<W: Word, N: Notifier> sealed::Repair for $guard<'_, W, N> {
                fn repair(&mut self) -> Result<(), LockError> {
                    self.0.repair()
                }
            }
        )*
    };
}

exclusive_guards!(MutexGuard, WriteGuard);

impl<'g, W: Word, N: Notifier> MutexGuard<'g, W, N> {
    pub(crate) fn parts(&self) -> (Slot<'g, W>, &'g Party<N>) {
        (self.0.slot, self.0.party)
    }
}

impl<'g, W: Word, N: Notifier> ReadGuard<'g, W, N> {
    pub(crate) fn given(
        slot: Slot<'g, W>,
        party: &'g Party<N>,
        given: Given,
    ) -> Option<Acquired<Self, Self>> {
        match given {
            Given::NotYet => None,
            Given::Yes { is_inconsistent } => Some(Self::acquired(slot, party, is_inconsistent)),
        }
    }

    pub(crate) fn acquired(
        slot: Slot<'g, W>,
        party: &'g Party<N>,
        is_inconsistent: bool,
    ) -> Acquired<Self, Self> {
        let guard = Self::new(slot, party);
        match is_inconsistent {
            false => Acquired::Consistent(guard),
            true => Acquired::OwnerDied(guard),
        }
    }
}

impl<W: Word, N: Notifier> Drop for MutexGuard<'_, W, N> {
    #[inline]
    fn drop(&mut self) {
        let Hold {
            slot,
            party,
            leaving,
        } = self.0;
        if leaving == Leaving::Abandoned || !slot.give_back(party.id()) {
            self.0.release(Mode::Write);
        }
    }
}

impl<W: Word, N: Notifier> Drop for WriteGuard<'_, W, N> {
    #[inline]
    fn drop(&mut self) {
        let Hold {
            slot,
            party,
            leaving,
        } = self.0;
        if leaving == Leaving::Abandoned || !slot.give_back_unwanted(party.id(), Mode::Write) {
            self.0.release(Mode::Write);
        }
    }
}

impl<W: Word, N: Notifier> Drop for ReadGuard<'_, W, N> {
    #[inline]
    fn drop(&mut self) {
        let Hold { slot, party, .. } = self.0;
        if !slot.give_back_unwanted(party.id(), Mode::Read) {
            self.0.release(Mode::Read);
        }
    }
}
