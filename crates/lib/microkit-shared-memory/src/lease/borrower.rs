//! The side that uses memory which another protection domain lends.

use core::fmt;
use core::sync::atomic::Ordering;

use super::terms::{Epochs, Grant, Request, Rights, next_epoch};
use super::{EPOCH, slot_word};
use crate::{Bytes, Memory, OutOfBounds, TooSmall, WritableMemory, identity};

/// Uses ranges of a region by leases of a [`Lender`](crate::Lender).
///
/// `O` is one word of memory that only this borrower writes, `M` the lender's board, and `R` the
/// region that is lent. [`Lender`](crate::Lender) has an example.
#[derive(Debug)]
pub struct Borrower<O, M, R> {
    identity: u64,
    own: O,
    board: M,
    region: Bytes<R>,
    epochs: Epochs,
}

/// A range that may be used until it is given back, recalled, or one of the two sides is restarted.
#[derive(Debug, PartialEq, Eq)]
pub struct Lease {
    borrower: u64,
    grant: Grant,
}

impl Lease {
    /// Ends the lease. Send the grant to the lender, which counts the lease until then.
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
    /// Opens the borrower: a new incarnation of it. The lender takes back the leases of an earlier
    /// one.
    ///
    /// **Rights:** a `<map>` with `w` for `own`, one for `board` and `region`.
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

    /// Creates a request for a range, to be sent to the lender. It carries the two epochs, so the
    /// lender refuses a request that comes after a restart.
    pub fn request(&mut self, offset: u64, bytes: u64, rights: Rights) -> Request {
        self.acknowledge();
        Request {
            offset,
            bytes,
            rights,
            epochs: self.epochs,
        }
    }

    /// Accepts a grant of the lender.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`LeaseError::OutOfBounds`] if the range reaches beyond the region,
    /// [`LeaseError::Ended`] if the lease is of an earlier incarnation or was recalled.
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

    /// Copies bytes out of a lease, from `offset` on.
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
                // Bytes that were read after the end of the lease are not used: if there are any,
                // the second check sees the end.
                self.region.memory().fence(Ordering::Acquire);
                self.check(lease)
            });
        if read.is_err() {
            to.fill(0);
        }
        read
    }

    /// Copies bytes into a lease, from `offset` on.
    ///
    /// **Blocking:** never. **Rights:** a `<map>` with `w`.
    ///
    /// # Errors
    ///
    /// Returns [`LeaseError::OutOfBounds`] if the lease is shorter, [`LeaseError::Rights`] if it is
    /// read-only. If the lease has ended, returns [`LeaseError::Ended`]; then none, some or all of
    /// the bytes were written.
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
    /// Returns [`LeaseError::Ended`] if it has.
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

    /// Publishes which incarnation of the lender this borrower has seen. From then on, no access by
    /// a lease of an earlier one is under way.
    ///
    /// Every other method does this first. Call it when the lender notifies while there is nothing
    /// else to do, because the lender may wait for it.
    pub fn acknowledge(&mut self) {
        let epoch = self.board.load(EPOCH, Ordering::Acquire) as u32;
        if epoch != self.epochs.lender || self.epochs.lender == 0 {
            self.epochs.lender = epoch;
            // Release: writes by an earlier lease come before this.
            self.own.store(0, self.epochs.to_word(), Ordering::Release);
        }
    }

    /// Returns the place of bytes of a lease in the region, if they are in the lease.
    fn place(&self, lease: &Lease, offset: usize, count: usize) -> Result<usize, LeaseError> {
        let end = offset.checked_add(count).ok_or(LeaseError::OutOfBounds)?;
        if end as u64 > lease.grant.bytes {
            return Err(LeaseError::OutOfBounds);
        }
        Ok(lease.grant.offset as usize + offset)
    }
}

/// Why a lease was not used.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum LeaseError {
    /// The bytes are not all in the lease, or the lease is not in the region.
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
