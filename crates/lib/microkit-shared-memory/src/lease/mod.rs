//! Leases: ranges of a region that its owner lends to others, until one of the two is restarted.
//!
//! A lease is an agreement. The mappings of Microkit are static, so the hardware cannot take a range
//! away: a borrower that ignores its leases can access everything that the system file maps to it. A
//! borrower that keeps to its leases never uses a range that it may not use, whoever is restarted when.
//! And a borrower that does not cannot harm the lender's table, or the other borrowers' shares of it.
//!
//! The lender publishes its *board*, memory that only it writes:
//!
//! | words | |
//! | --- | --- |
//! | the first | the lender's epoch |
//! | four for each slot of its table | the generation of the slot, odd while it is leased; the borrower that may write; offset and length |
//!
//! A borrower checks the board before and after each access. It writes one word of its own: its epoch,
//! and the epoch of the lender that it has seen. So each side sees a restart of the other, and the
//! lender sees when no access of an earlier incarnation can be under way.

mod borrower;
mod lender;
mod terms;

pub use borrower::{Borrower, Lease, LeaseError};
pub use lender::{Lender, LenderError};
pub use terms::{Epochs, Grant, LEASE_UNIT_BYTES, Refusal, Request, Rights, Terms};

/// The word of the board with the lender's epoch.
const EPOCH: usize = 0;

/// Returns the number of words of the board of a lender, for a table of `leases` slots.
pub const fn board_words(leases: usize) -> usize {
    slot_word(leases)
}

const WORDS_PER_SLOT: usize = 4;

/// The word of the board with the generation of a slot. Only a later incarnation of the lender
/// reads the three words after it.
const fn slot_word(slot: usize) -> usize {
    slot.saturating_mul(WORDS_PER_SLOT)
        .saturating_add(EPOCH + 1)
}

/// The borrower plus one that may write by this lease; 0 if none may.
const fn writer_word(slot: usize) -> usize {
    slot_word(slot) + 1
}

/// The offset and the length of the lease.
const fn range_words(slot: usize) -> [usize; 2] {
    [slot_word(slot) + 2, slot_word(slot) + 3]
}
