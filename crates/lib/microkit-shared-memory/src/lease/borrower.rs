//! The borrower: it uses memory that another protection domain lends.

use core::fmt;
use core::sync::atomic::Ordering;

use super::terms::{Epochs, Grant, Request, Rights, next_epoch};
use super::{EPOCH, slot_word};
use crate::{Bytes, Memory, OutOfBounds, TooSmall, WritableMemory, identity};

/// Accesses ranges of a region under leases from a [`Lender`](crate::Lender).
///
/// `O` is one word of memory that only this borrower writes. `M` is the lender's board, and `R` is
/// the lent region. [`Lender`](crate::Lender) has an example.
#[derive(Debug)]
pub struct Borrower<O, M, R> {
    identity: u64,
    own: O,
    board: M,
    region: Bytes<R>,
    epochs: Epochs,
}

/// A leased range. It may be used until it is given back, recalled, or one of the two sides is
/// restarted.
#[derive(Debug, PartialEq, Eq)]
pub struct Lease {
    borrower: u64,
    grant: Grant,
}

impl Lease {
    /// Ends the lease. Send the grant to the lender: the lease counts against the quota until then.
    #[must_use = "the lender counts the lease until it gets the grant back"]
    pub fn give_back(self) -> Grant {
        self.grant
    }

    /// Returns the number of bytes of the lease.
    pub const fn bytes(&self) -> u64 {
        self.grant.bytes
    }
}

impl<O: WritableMemory, M: Memory, R: Memory> Borrower<O, M, R> {
    /// Opens the borrower as a new incarnation. The lender reclaims the leases of earlier
    /// incarnations.
    ///
    /// **Rights:** a `<map>` with `w` for `own`, a `<map>` for each of `board` and `region`.
    ///
    /// # Errors
    ///
    /// Returns [`TooSmall`] if a memory is too small.
    pub fn open(own: O, board: M, region: R) -> Result<Self, TooSmall> {
        for (needs, has) in [(1, own.words()), (1, board.words())] {
            if has < needs {
                return Err(TooSmall { needs, has });
            }
        }
        let earlier = Epochs::from_word(own.load(0, Ordering::Relaxed));
        let mut borrower = Self {
            identity: identity::new(),
            own,
            board,
            region: Bytes::new(region),
            epochs: Epochs {
                borrower: next_epoch(earlier.borrower),
                lender: 0,
            },
        };
        borrower.acknowledge();
        Ok(borrower)
    }

    /// Creates a request for a range, for a message to the lender. It contains the epochs of both
    /// sides, so the lender refuses it after a restart of either side.
    pub fn request(&mut self, offset: u64, bytes: u64, rights: Rights) -> Request {
        self.acknowledge();
        Request {
            offset,
            bytes,
            rights,
            epochs: self.epochs,
        }
    }

    /// Accepts a grant from the lender.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`LeaseError::OutOfBounds`] if the range reaches beyond the region. Returns
    /// [`LeaseError::Ended`] if the lease belongs to an earlier incarnation or was recalled.
    pub fn accept(&mut self, grant: Grant) -> Result<Lease, LeaseError> {
        let end = grant.offset.checked_add(grant.bytes);
        let slot = usize::try_from(grant.slot).ok().map(slot_word);
        if end.is_none_or(|end| end > self.region.len() as u64)
            || slot.is_none_or(|slot| slot >= self.board.words())
        {
            return Err(LeaseError::OutOfBounds);
        }
        let borrower = self.identity;
        let lease = Lease { borrower, grant };
        self.check(&lease)?;
        Ok(lease)
    }

    /// Copies bytes out of a lease, starting at `offset`.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`LeaseError::OutOfBounds`] if the lease is shorter. If the lease has ended, returns
    /// [`LeaseError::Ended`] and fills `to` with zeros.
    pub fn read(&mut self, lease: &Lease, offset: usize, to: &mut [u8]) -> Result<(), LeaseError> {
        let at = self.place(lease, offset, to.len())?;
        let read = self
            .check(lease)
            .and_then(|()| Ok(self.region.read(at, to)?))
            .and_then(|()| {
                // Bytes read after the end of the lease must not be used. If any byte was read that
                // late, the second check detects the end.
                self.region.memory().fence(Ordering::Acquire);
                self.check(lease)
            });
        if read.is_err() {
            to.fill(0);
        }
        read
    }

    /// Copies bytes into a lease, starting at `offset`.
    ///
    /// **Blocking:** never. **Rights:** a `<map>` with `w`.
    ///
    /// # Errors
    ///
    /// Returns [`LeaseError::OutOfBounds`] if the lease is shorter. Returns [`LeaseError::Rights`]
    /// if the lease is read-only. If the lease has ended, returns [`LeaseError::Ended`]; then none,
    /// some or all of the bytes were written.
    pub fn write(&mut self, lease: &Lease, offset: usize, from: &[u8]) -> Result<(), LeaseError>
    where
        R: WritableMemory,
    {
        let at = self.place(lease, offset, from.len())?;
        if lease.grant.rights != Rights::Write {
            return Err(LeaseError::Rights);
        }
        self.check(lease)?;
        self.region.write(at, from)?;
        self.check(lease)
    }

    /// Checks that a lease has not ended.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`LeaseError::Ended`] if the lease has ended.
    pub fn check(&mut self, lease: &Lease) -> Result<(), LeaseError> {
        let Lease { borrower, grant } = lease;
        self.acknowledge();
        if *borrower != self.identity {
            return Err(LeaseError::OtherBorrower);
        }
        if grant.epochs != self.epochs {
            return Err(LeaseError::Ended);
        }
        let slot = slot_word(usize::try_from(grant.slot).unwrap_or(usize::MAX));
        if slot < self.board.words()
            && self.board.load(slot, Ordering::Acquire) == grant.generation
            && grant.generation & 1 == 1
        {
            Ok(())
        } else {
            Err(LeaseError::Ended)
        }
    }

    /// Publishes the last lender incarnation that this borrower has seen. After this call, no
    /// access under a lease of an earlier incarnation is in progress.
    ///
    /// All other methods do this first. Call it when the lender notifies and the borrower has
    /// nothing else to do, because the lender may wait for this acknowledgement.
    pub fn acknowledge(&mut self) {
        let epoch = self.board.load(EPOCH, Ordering::Acquire) as u32;
        if epoch != self.epochs.lender || self.epochs.lender == 0 {
            self.epochs.lender = epoch;
            // Release: writes under an earlier lease come before this store.
            self.own.store(0, self.epochs.to_word(), Ordering::Release);
        }
    }

    /// Returns the index in the region of bytes of a lease. Returns an error if they are not all in
    /// the lease.
    fn place(&self, lease: &Lease, offset: usize, count: usize) -> Result<usize, LeaseError> {
        let end = offset.checked_add(count).ok_or(LeaseError::OutOfBounds)?;
        if end as u64 > lease.grant.bytes {
            return Err(LeaseError::OutOfBounds);
        }
        Ok(lease.grant.offset as usize + offset)
    }
}

/// The reason why a lease was not used.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum LeaseError {
    /// Not all bytes are in the lease, or the lease is not in the region.
    OutOfBounds,
    /// The lease is read-only.
    Rights,
    /// The lease was recalled, or one of the two sides was restarted.
    Ended,
    /// Another [`Borrower`] of this program has accepted the lease.
    OtherBorrower,
}

impl From<OutOfBounds> for LeaseError {
    fn from(_: OutOfBounds) -> Self {
        Self::OutOfBounds
    }
}

impl fmt::Display for LeaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutOfBounds => return OutOfBounds.fmt(f),
            Self::Rights => "the lease is read-only: ask for one with `Rights::Write`",
            Self::Ended => "the lease has ended: ask for a new one",
            Self::OtherBorrower => {
                "the lease is another borrower's: pass it to the `Borrower` that has accepted it"
            }
        })
    }
}

impl core::error::Error for LeaseError {}
