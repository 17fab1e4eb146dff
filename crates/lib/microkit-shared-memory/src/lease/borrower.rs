//! The one who uses memory that another lends.

use core::fmt;
use core::sync::atomic::Ordering;

use super::terms::{Epochs, Grant, Request, Rights, next_epoch};
use super::{EPOCH, slot_word};
use crate::{Bytes, Memory, OutOfBounds, TooSmall, WritableMemory, identity};

/// Uses ranges of a region by leases.
///
/// `O` is memory of its own, of one word; `M` is the lender's board, which it reads; `R` is the
/// region that is lent.
#[derive(Debug)]
pub struct Borrower<O, M, R> {
    identity: u64,
    own: O,
    board: M,
    region: Bytes<R>,
    epochs: Epochs,
}

/// A range that may be used until it is given back, or either of the two is started anew.
#[derive(Debug, PartialEq, Eq)]
pub struct Lease {
    borrower: u64,
    grant: Grant,
}

impl Lease {
    /// What was granted, to be sent to the lender when it is given back: the lease is gone then.
    #[must_use = "the lender goes on to count it until it is given back"]
    pub fn give_back(self) -> Grant {
        self.grant
    }

    /// How many bytes it has.
    pub const fn bytes(&self) -> u64 {
        self.grant.bytes
    }
}

impl<O: WritableMemory, M: Memory, R: Memory> Borrower<O, M, R> {
    /// Begins a new incarnation of the borrower: the lender takes back what an earlier one had.
    ///
    /// **Errors:** a memory is too small.
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

    /// A request for some bytes, to be sent to the lender. It names the two incarnations, so that
    /// one that comes late is refused.
    pub fn request(&mut self, offset: u64, bytes: u64, rights: Rights) -> Request {
        self.acknowledge();
        Request {
            offset,
            bytes,
            rights,
            epochs: self.epochs,
        }
    }

    /// Takes what the lender has granted.
    ///
    /// **Blocks:** never. **Errors:** it reaches beyond the region; it is of an earlier incarnation
    /// of one of the two, or was recalled.
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

    /// Copies bytes out of what is leased, from one on.
    ///
    /// **Blocks:** never. **Errors:** the lease is shorter; it has ended, and then `to` is zeros.
    pub fn read(&mut self, lease: &Lease, offset: usize, to: &mut [u8]) -> Result<(), LeaseError> {
        let at = self.place(lease, offset, to.len())?;
        let read = self
            .check(lease)
            .and_then(|()| Ok(self.region.read(at, to)?))
            .and_then(|()| {
                // What was read after the end of the lease is not used: if any of it was, the end
                // is seen next.
                self.region.memory().fence(Ordering::Acquire);
                self.check(lease)
            });
        if read.is_err() {
            to.fill(0);
        }
        read
    }

    /// Copies bytes into what is leased, from one on.
    ///
    /// **Blocks:** never. **Needs:** a `<map>` with `w`. **Errors:** the lease is shorter, or to
    /// read only; it has ended, and then some of the bytes may be written or none.
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

    /// Whether the lease has not ended.
    ///
    /// **Blocks:** never. **Errors:** it has.
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

    /// Tells the lender which incarnation of it this has seen: by then no access by a lease of an
    /// earlier one is under way. Every other method does so; who waits for something else does it
    /// when it is notified.
    pub fn acknowledge(&mut self) {
        let epoch = self.board.load(EPOCH, Ordering::Acquire) as u32;
        if epoch != self.epochs.lender || self.epochs.lender == 0 {
            self.epochs.lender = epoch;
            // Release: what was written by an earlier lease was written before.
            self.own.store(0, self.epochs.to_word(), Ordering::Release);
        }
    }

    /// Where bytes of a lease are in the region, if they are in the lease.
    fn place(&self, lease: &Lease, offset: usize, count: usize) -> Result<usize, LeaseError> {
        let end = offset.checked_add(count).ok_or(LeaseError::OutOfBounds)?;
        if end as u64 > lease.grant.bytes {
            return Err(LeaseError::OutOfBounds);
        }
        Ok(lease.grant.offset as usize + offset)
    }
}

/// Why memory that is lent was not used.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum LeaseError {
    /// The bytes are not all in the lease, or the lease is not in the region.
    OutOfBounds,
    /// The lease is to read only.
    Rights,
    /// The lease has ended: it was recalled, or one of the two was started anew.
    Ended,
    /// The lease was accepted by another [`Borrower`] of this program.
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
            Self::Rights => "the lease is to read only: ask for one to write",
            Self::Ended => "the lease has ended: ask for a new one",
            Self::OtherBorrower => {
                "the lease is another borrower's: use it by the one that has accepted it"
            }
        })
    }
}

impl core::error::Error for LeaseError {}
