//! A restarted program finds its memory as it was when it was first started.
//!
//! The parent of a protection domain may stop it anywhere, inside its allocator or while it holds a
//! lock, and restart it at its entry point. Microkit leaves its memory as it was. A new life that
//! went on with it would find values half written, which no safe code expects. So the first life
//! begins by keeping a copy of the program's initialised data (`.data`), into which Microkit's tool
//! has written, and each later one by copying it back and filling the rest (`.bss`) with zeros.
//! Nothing of an earlier life is left in the program: no borrow, no deferred action, no heap.
//!
//! What is not the program's stays as it is: memory regions, what others know of the PD, and
//! notifications that have come and were not received.

use core::cell::UnsafeCell;

/// How many bytes of initialised data are kept, if `kept_data_size` does not say.
pub const KEPT_DATA_BYTES: usize = 4096;

/// A copy of up to `BYTES` of initialised data, in a static.
#[doc(hidden)]
#[repr(C, align(16))]
pub struct Kept<const BYTES: usize> {
    /// How far the copy is: see `renew`.
    state: UnsafeCell<u64>,
    pub(crate) bytes: UnsafeCell<[u8; BYTES]>,
}

// SAFETY: only `renew` refers to this memory, while nothing else of the program runs.
unsafe impl<const BYTES: usize> Sync for Kept<BYTES> {}

impl<const BYTES: usize> Kept<BYTES> {
    /// Nothing.
    #[allow(clippy::new_without_default)] // For statics only.
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
    fn a_copy_has_room_for_what_it_is_to_keep_behind_its_state() {
        assert_eq!(core::mem::offset_of!(Kept<32>, bytes), 8);
        assert_eq!(size_of_val(&Kept::<32>::new()), 48);
    }

    #[test]
    #[should_panic(expected = "`kept_data_size` is a multiple of 16")]
    fn a_copy_that_ends_inside_a_block_is_refused() {
        Kept::<24>::new();
    }
}
