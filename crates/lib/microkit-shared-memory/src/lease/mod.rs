//! Leases: ranges of a region that its owner lends to others, until one of the two is restarted.
//!
//! A lease is an agreement. Microkit's mappings are static, so the hardware cannot revoke a range:
//! a borrower that ignores its leases can access everything that the system file maps to it. A
//! borrower that respects its leases never uses a range without a lease, even if either side is
//! restarted at any time. A borrower that ignores its leases cannot harm the lender's table, or the
//! shares of other borrowers in the table.
//!
//! The lender publishes its *board*: memory that only the lender writes.
//!
//! | words | content |
//! | --- | --- |
//! | the first | the lender's epoch |
//! | four for each slot of its table | the slot's generation (odd while it is leased), the borrower that may write, the offset, the length |
//!
//! A borrower checks the board before and after each access. The borrower writes one word: its own
//! epoch, and the last epoch of the lender that it has seen. So each side detects a restart of the
//! other. The lender also knows when no access by an earlier incarnation can be in progress.

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

/// The index of the word with the generation of a slot. Only later incarnations of the lender read
/// the three words after it.
const fn slot_word(slot: usize) -> usize {
    slot.saturating_mul(WORDS_PER_SLOT)
        .saturating_add(EPOCH + 1)
}

/// The index of the word that names the writer: the borrower's number plus one, or 0 if nobody may
/// write.
const fn writer_word(slot: usize) -> usize {
    slot_word(slot) + 1
}

/// The indices of the words with the offset and the length of the lease.
const fn range_words(slot: usize) -> [usize; 2] {
    [slot_word(slot) + 2, slot_word(slot) + 3]
}
