//! What is asked for, granted and refused: plain values, which can be sent in a message.

use core::fmt;

use zerocopy::{Immutable, IntoBytes, TryFromBytes};

/// The unit of leases in bytes: offset and length are multiples of it, and nothing else is asked of
/// them.
pub const LEASE_UNIT_BYTES: u64 = 8;

/// What may be done with a lease.
#[derive(
    Debug, Copy, Clone, PartialEq, Eq, PartialOrd, Ord, TryFromBytes, IntoBytes, Immutable,
)]
#[repr(u64)]
pub enum Rights {
    /// Reading, which others may do too.
    Read = 1,
    /// Reading and writing, for one alone.
    Write = 2,
}

/// What one borrower may have at most.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Terms {
    /// How many leases at a time.
    pub leases: usize,
    /// How many bytes in all of them.
    pub bytes: u64,
    /// With which rights: [`Rights::Write`] only if the region is mapped to it with `w`.
    pub rights: Rights,
}

/// What a borrower asks for.
#[derive(Debug, Copy, Clone, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Request {
    /// The first byte, from the beginning of what is lent.
    pub offset: u64,
    /// How many bytes.
    pub bytes: u64,
    /// To do what.
    pub rights: Rights,
    /// Of which incarnations of the two this is.
    pub epochs: Epochs,
}

/// A lease, as the lender has granted it.
#[derive(Debug, Copy, Clone, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Grant {
    /// The first byte, from the beginning of what is lent.
    pub offset: u64,
    /// How many bytes.
    pub bytes: u64,
    /// To do what.
    pub rights: Rights,
    /// Of which incarnations of the two it is: it ends with either.
    pub epochs: Epochs,
    /// Its place in the lender's table.
    pub slot: u64,
    /// Which use of that place it is.
    pub generation: u64,
}

/// An incarnation of each of the two: another number after each start.
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Epochs {
    /// The borrower's.
    pub borrower: u32,
    /// The lender's.
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

/// The incarnation after this one; none is 0.
pub(super) const fn next_epoch(epoch: u32) -> u32 {
    match epoch.checked_add(1) {
        Some(next) => next,
        None => 1,
    }
}

/// Why there is no lease. Nothing of the lender's was spent.
#[derive(Debug, Copy, Clone, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(u8)]
pub enum Refusal {
    /// It reaches beyond what is lent, or has no bytes.
    Bounds = 1,
    /// Offset or length is no multiple of [`LEASE_UNIT_BYTES`].
    Alignment = 2,
    /// The borrower may not write.
    Rights = 3,
    /// Some of it is leased, and one of the two would write; or a borrower that was told to give it
    /// back has not yet.
    Overlap = 4,
    /// The borrower has as many leases, or bytes, as it may.
    Quota = 5,
    /// It belongs to an earlier incarnation of one of the two, or was given back.
    Ended = 6,
    /// After a restart of the lender, a borrower may still be writing some of it by a lease of the
    /// earlier incarnation: it has not acknowledged this one, and was not declared gone.
    Unsettled = 7,
    /// The lender has no such borrower.
    Unknown = 8,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bounds => {
                "no lease: it would reach beyond what is lent, or be empty: ask for at least 8 bytes \
                 inside"
            }
            Self::Alignment => {
                "no lease: offset and length must be multiples of 8 bytes: ask for a little more"
            }
            Self::Rights => "no lease: this borrower may only read: ask for that",
            Self::Overlap => "no lease: some of it is leased to somebody: ask again later",
            Self::Quota => "no lease: this borrower has all that it may: give one back first",
            Self::Ended => "the lease has ended: ask for a new one",
            Self::Unsettled => {
                "no lease: after the lender's restart, some borrower may still be writing there: ask \
                 again later, or for other bytes"
            }
            Self::Unknown => "no lease: the lender does not know this borrower",
        })
    }
}

impl core::error::Error for Refusal {}
