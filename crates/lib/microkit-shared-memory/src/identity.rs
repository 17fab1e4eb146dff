//! Unique numbers that identify pools, borrowers and sent buffers.

use core::sync::atomic::{AtomicU64, Ordering};

/// Returns a number that is unique in this incarnation of the protection domain.
pub(crate) fn new() -> u64 {
    static GIVEN: AtomicU64 = AtomicU64::new(0);
    GIVEN.fetch_add(1, Ordering::Relaxed) + 1
}
