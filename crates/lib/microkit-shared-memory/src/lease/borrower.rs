//! The borrower's side of leases: access to memory that another protection domain lends.

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

/// A leased range. The lease ends when it is given back or recalled, or when the lender or the
/// borrower is restarted.
#[derive(Debug, PartialEq, Eq)]
pub struct Lease {
    borrower: u64,
    grant: Grant,
}

impl Lease {
    /// Ends the lease. Send the returned grant to the lender. Until the lender gets the grant, the
    /// lease counts against the quota.
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

    /// Creates a request for a range. Send the request to the lender in a message. The request
    /// contains the epochs of both sides, so the lender refuses the request after a restart of
    /// either side.
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
    /// Returns [`LeaseError::OutOfBounds`] if the range reaches beyond the end of the lease. If the
    /// lease has ended, returns [`LeaseError::Ended`] and fills `to` with zeros.
    pub fn read(&mut self, lease: &Lease, offset: usize, to: &mut [u8]) -> Result<(), LeaseError> {
        let at = self.place(lease, offset, to.len())?;
        let read = self
            .check(lease)
            .and_then(|()| Ok(self.region.read(at, to)?))
            .and_then(|()| {
                // The caller must not get bytes that were read after the end of the lease. If any
                // byte was read after the end, the second check detects this.
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
    /// Returns [`LeaseError::OutOfBounds`] if the range reaches beyond the end of the lease.
    /// Returns [`LeaseError::Rights`] if the lease is read-only. Returns [`LeaseError::Ended`] if
    /// the lease has ended. After this error, any part of the bytes may have been written.
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

    /// Acknowledges the lender's current incarnation. After this call, no access under a lease of
    /// an earlier lender incarnation is in progress.
    ///
    /// All other methods of the borrower also acknowledge. After a notification from the lender,
    /// call any method, because the lender may wait for the acknowledgement.
    pub fn acknowledge(&mut self) {
        let epoch = self.board.load(EPOCH, Ordering::Acquire) as u32;
        if epoch != self.epochs.lender || self.epochs.lender == 0 {
            self.epochs.lender = epoch;
            // Release: writes under an earlier lease come before this store.
            self.own.store(0, self.epochs.to_word(), Ordering::Release);
        }
    }

    /// Returns the index in the region of the byte at `offset` of a lease. Returns an error if the
    /// range reaches beyond the end of the lease.
    fn place(&self, lease: &Lease, offset: usize, count: usize) -> Result<usize, LeaseError> {
        let end = offset.checked_add(count).ok_or(LeaseError::OutOfBounds)?;
        if end as u64 > lease.grant.bytes {
            return Err(LeaseError::OutOfBounds);
        }
        Ok(lease.grant.offset as usize + offset)
    }
}

/// The reason why an access under a lease failed.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum LeaseError {
    /// The range is not inside the lease, or the lease is not inside the region.
    OutOfBounds,
    /// The lease is read-only.
    Rights,
    /// The lease was recalled, or the lender or the borrower was restarted.
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
