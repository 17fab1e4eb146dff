//! Restores the initial contents of a restarted program's memory.
//!
//! The parent of a PD may stop the PD anywhere, for instance inside its allocator or while it holds
//! a lock, and restart it at its entry point. Microkit does not change the memory at a restart. A
//! new incarnation could then find partly written values, and safe code does not expect such
//! values. So the first incarnation makes a copy of the program's initialised data (`.data`) before
//! it starts. The copy includes the values that Microkit's tool has written. Each later incarnation
//! copies the data back, and fills the rest (`.bss`) with zeros. The borrows, the deferred action
//! and the heap of an earlier incarnation no longer exist.
//!
//! State outside the program does not change: memory regions, the state of other PDs, and
//! notifications that were not yet received.
//!
//! The code is in `platform/target/renew.rs`.

use core::cell::UnsafeCell;

/// The default of `kept_data_size`: the room for the copy of initialised data, in bytes.
pub const KEPT_DATA_BYTES: usize = 4096;

/// A copy of up to `BYTES` of initialised data, in a static.
#[doc(hidden)]
#[repr(C, align(16))]
pub struct Kept<const BYTES: usize> {
    /// The state of the copy: see `renew`.
    state: UnsafeCell<u64>,
    pub(crate) bytes: UnsafeCell<[u8; BYTES]>,
}

// SAFETY: only `renew` accesses this memory, before any other code of the program runs.
unsafe impl<const BYTES: usize> Sync for Kept<BYTES> {}

impl<const BYTES: usize> Kept<BYTES> {
    /// Makes an empty copy.
    ///
    /// # Panics
    ///
    /// Panics if `BYTES` is not a multiple of 16. In a static, the panic is a compile error.
    #[allow(clippy::new_without_default)] // Used only for statics.
    pub const fn new() -> Self {
        assert!(
            BYTES.is_multiple_of(16),
            "`kept_data_size` is a multiple of 16"
        );
        Self {
            state: UnsafeCell::new(0),
            bytes: UnsafeCell::new([0; BYTES]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_room_after_its_state() {
        assert_eq!(core::mem::offset_of!(Kept<32>, bytes), 8);
        assert_eq!(size_of_val(&Kept::<32>::new()), 48);
    }

    #[test]
    #[should_panic(expected = "`kept_data_size` is a multiple of 16")]
    fn a_copy_that_ends_inside_a_block_is_refused() {
        Kept::<24>::new();
    }
}
