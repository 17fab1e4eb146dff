//! Requests, grants and refusals: plain values that can be sent in a message.

use core::fmt;

use zerocopy::{Immutable, IntoBytes, TryFromBytes};

/// The unit of leases in bytes. The offset and the length of a lease must be multiples of this
/// unit.
pub const LEASE_UNIT_BYTES: u64 = 8;

/// The rights of a lease.
#[derive(
    Debug, Copy, Clone, PartialEq, Eq, PartialOrd, Ord, TryFromBytes, IntoBytes, Immutable,
)]
#[repr(u64)]
pub enum Rights {
    /// Read only. Other borrowers may read the range at the same time.
    Read = 1,
    /// Read and write. No other borrower may use the range at the same time.
    Write = 2,
}

/// The limits of one borrower.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The maximum number of leases at a time.
    pub leases: usize,
    /// The maximum total number of bytes of all leases.
    pub bytes: u64,
    /// The maximum rights. Use [`Rights::Write`] only if the system file maps the region to the
    /// borrower with `w`.
    pub rights: Rights,
}

/// A borrower's request for a lease.
#[derive(Debug, Copy, Clone, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Request {
    /// The offset of the first byte from the start of the lent region.
    pub offset: u64,
    /// The number of bytes.
    pub bytes: u64,
    /// The rights.
    pub rights: Rights,
    /// The epochs at the time of the request. The lender refuses requests of earlier incarnations.
    pub epochs: Epochs,
}

/// The lender's message that grants a lease.
#[derive(Debug, Copy, Clone, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Grant {
    /// The offset of the first byte from the start of the lent region.
    pub offset: u64,
    /// The number of bytes.
    pub bytes: u64,
    /// The rights.
    pub rights: Rights,
    /// The epochs of the lease. The lease ends when either incarnation ends.
    pub epochs: Epochs,
    /// The slot in the lender's table.
    pub slot: u64,
    /// The generation of the slot.
    pub generation: u64,
}

/// The epochs of a borrower and its lender. A restart changes the epoch of the restarted side. A
/// valid epoch is never 0.
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Epochs {
    /// The borrower's epoch.
    pub borrower: u32,
    /// The lender's epoch.
    pub lender: u32,
}

impl Epochs {
    pub(super) const fn from_word(word: u64) -> Self {
        Self {
            borrower: (word >> 32) as u32,
            lender: word as u32,
        }
    }

    pub(super) const fn to_word(self) -> u64 {
        (self.borrower as u64) << 32 | self.lender as u64
    }
}

/// Returns the epoch of the next incarnation, which is never 0.
pub(super) const fn next_epoch(epoch: u32) -> u32 {
    match epoch.checked_add(1) {
        Some(next) => next,
        None => 1,
    }
}

/// The reason why the lender has refused a request. A refused request does not change the lender's
/// table.
#[derive(Debug, Copy, Clone, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(u8)]
pub enum Refusal {
    /// The range is empty or reaches beyond the lent region.
    Bounds = 1,
    /// Offset or length is not a multiple of [`LEASE_UNIT_BYTES`].
    Alignment = 2,
    /// The borrower may not write.
    Rights = 3,
    /// The range overlaps another lease, and at least one of the two leases allows writes. A
    /// recalled lease also counts until the borrower gives it back.
    Overlap = 4,
    /// The borrower has reached its maximum number of leases or bytes.
    Quota = 5,
    /// The request or the lease belongs to an earlier incarnation, or the lease was given back.
    Ended = 6,
    /// After a restart of the lender, a borrower may still be writing to part of the range under a
    /// lease of an earlier incarnation. That borrower has not acknowledged the new incarnation, and
    /// was not declared gone.
    Unsettled = 7,
    /// The lender has no borrower with this number.
    Unknown = 8,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bounds => {
                "no lease: the range reaches beyond the region that is lent, or is empty: ask for at \
                 least 8 bytes inside"
            }
            Self::Alignment => {
                "no lease: offset and length must be multiples of 8 bytes: ask for a larger range"
            }
            Self::Rights => "no lease: this borrower may only read: ask for `Rights::Read`",
            Self::Overlap => "no lease: part of the range is leased: ask again later",
            Self::Quota => "no lease: this borrower has all that its terms allow: give a lease back first",
            Self::Ended => "the lease has ended: ask for a new one",
            Self::Unsettled => {
                "no lease: a borrower may still be writing there since before the lender's restart: \
                 ask again later, or for other bytes"
            }
            Self::Unknown => "no lease: the lender does not know this borrower",
        })
    }
}

impl core::error::Error for Refusal {}
