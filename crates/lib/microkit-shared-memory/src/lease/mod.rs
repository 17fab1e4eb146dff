//! Leases: ranges of a region that its owner lends to others, until either is started anew.
//!
//! A lease is an agreement: the mappings of Microkit are static, so the hardware lets a borrower
//! that keeps to nothing read and write what the system file maps to it. What a lease gives is that
//! a borrower which does keep to it never uses what it may not, whoever is started anew when; and
//! that the lender's table, and the other borrowers' part of it, are safe from one that does not.

mod borrower;
mod lender;
mod terms;

pub use borrower::{Borrower, Lease, LeaseError};
pub use lender::{Lender, LenderError};
pub use terms::{Epochs, Grant, LEASE_UNIT_BYTES, Refusal, Request, Rights, Terms};

/// The word of the board with the lender's incarnation.
const EPOCH: usize = 0;

/// Returns how many words a lender's board has, for a table of so many leases: its epoch, and for
/// each place of the table which use of it is under way, and who may write what by it.
pub const fn board_words(leases: usize) -> usize {
    slot_word(leases)
}

const WORDS_PER_SLOT: usize = 4;

/// The word of the board with the use of a place. Only the lender reads the words that follow: they
/// say to a new incarnation what an earlier one has lent.
const fn slot_word(slot: usize) -> usize {
    slot.saturating_mul(WORDS_PER_SLOT)
        .saturating_add(EPOCH + 1)
}

/// The borrower, plus one, who may write by this lease; 0 if none may.
const fn writer_word(slot: usize) -> usize {
    slot_word(slot) + 1
}

/// Where it begins, and how many bytes it has.
const fn range_words(slot: usize) -> [usize; 2] {
    [slot_word(slot) + 2, slot_word(slot) + 3]
}
