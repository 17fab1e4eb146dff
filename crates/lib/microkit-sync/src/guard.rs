//! What a party has that has a lock. Dropping it gives the lock back.

use crate::error::LockError;
use crate::party::{Notifier, Party};
use crate::slot::Slot;
use crate::state::{Given, How, Leaving};
use crate::word::{self, Word};

/// A lock that was given.
#[derive(Debug)]
#[must_use = "dropped at once, it gives the lock back"]
pub enum Acquired<G, D = Inconsistent<G>> {
    /// The data is as the last owner has left it.
    Consistent(G),
    /// An owner has died inside: the data can be in any state that it goes through.
    OwnerDied(D),
}

impl<G: Repair> Acquired<G> {
    /// The guard; if an owner has died, after `repair` has made the data right again.
    ///
    /// **Errors:** [`LockError::Corrupt`] or [`LockError::Gone`] if another has written to the word.
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

/// A lock whose owner has died inside. Dropped without [`mark_consistent`](Self::mark_consistent), it
/// is given to nobody any more: all that wait are told [`LockError::NotRecoverable`].
#[derive(Debug)]
#[must_use = "dropped without `mark_consistent`, nobody gets the lock any more"]
pub struct Inconsistent<G: Repair>(G);

impl<G: Repair> Inconsistent<G> {
    /// Says that the data is right again.
    ///
    /// **Blocks:** never.
    /// **Errors:** [`LockError::Corrupt`] or [`LockError::Gone`] if another has written to the word.
    pub fn mark_consistent(self) -> Result<G, LockError> {
        let Self(mut guard) = self;
        guard.repair()?;
        Ok(guard)
    }
}

/// A guard of a lock of which one party has the whole.
pub trait Repair: sealed::Repair {}

pub(crate) mod sealed {
    use crate::error::LockError;

    pub trait Repair {
        fn repair(&mut self) -> Result<(), LockError>;
    }
}

/// A lock that this party has.
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

    /// If another has written to the word, there is nobody here to tell, and nothing to give back.
    fn release(&self, how: How) {
        let _ = self.slot.release(self.party, how, self.leaving);
    }
}

macro_rules! guards {
    ($($(#[$doc:meta])* $guard:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            #[must_use = "dropped at once, it gives the lock back"]
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
    /// A mutex that this party has.
    MutexGuard;
    /// A readers-writer lock that this party has for itself.
    WriteGuard;
    /// A readers-writer lock that this party has with others that read.
    ReadGuard;
}

macro_rules! alone {
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

alone!(MutexGuard, WriteGuard);

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
            self.0.release(How::Write);
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
        if leaving == Leaving::Abandoned || !slot.give_back_unwanted(party.id(), How::Write) {
            self.0.release(How::Write);
        }
    }
}

impl<W: Word, N: Notifier> Drop for ReadGuard<'_, W, N> {
    #[inline]
    fn drop(&mut self) {
        let Hold { slot, party, .. } = self.0;
        if !slot.give_back_unwanted(party.id(), How::Read) {
            self.0.release(How::Read);
        }
    }
}
