//! Leases: ranges of a region that a lender lends to borrowers. A lease ends at the latest when the
//! lender or the borrower is restarted.
//!
//! A lease is an agreement. Mappings in Microkit are static, so the lender cannot revoke the access
//! of a borrower in hardware. A borrower that ignores its leases can access all memory that the
//! system file maps to the borrower, but cannot change the lender's table. A borrower that respects
//! its leases never accesses a range without a lease, even after a restart of either side.
//!
//! The lender publishes its *board*: memory that only the lender writes.
//!
//! | words | content |
//! | --- | --- |
//! | the first | the lender's epoch |
//! | four for each slot of its table | the slot's generation (odd while it is leased), the borrower that may write, the offset, the length |
//!
//! A borrower checks the board before and after each access. The borrower writes one word with its
//! own epoch and the last lender epoch that it has seen. So each side detects a restart of the
//! other side. A borrower that has acknowledged the lender's epoch no longer uses leases of earlier
//! incarnations of the lender.

mod borrower;
mod lender;
mod terms;

pub use borrower::{Borrower, Lease, LeaseError};
pub use lender::{Lender, LenderError};
pub use terms::{Epochs, Grant, LEASE_UNIT_BYTES, Refusal, Request, Rights, Terms};

/// The index of the word with the lender's epoch.
const EPOCH: usize = 0;

/// Returns the number of words of a lender's board, for a table of `leases` slots.
pub const fn board_words(leases: usize) -> usize {
    slot_word(leases)
}

const WORDS_PER_SLOT: usize = 4;

/// Returns the index of the word with the generation of a slot. The next three words are only for
/// later incarnations of the lender.
const fn slot_word(slot: usize) -> usize {
    slot.saturating_mul(WORDS_PER_SLOT)
        .saturating_add(EPOCH + 1)
}

/// Returns the index of the word that identifies the writer of a slot's range. The word is the
/// borrower's number plus one, or 0 if no borrower may write.
const fn writer_word(slot: usize) -> usize {
    slot_word(slot) + 1
}

/// Returns the indices of the words with the offset and the length of the lease.
const fn range_words(slot: usize) -> [usize; 2] {
    [slot_word(slot) + 2, slot_word(slot) + 3]
}
