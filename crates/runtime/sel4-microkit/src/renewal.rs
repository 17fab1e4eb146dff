//! A restarted program finds its memory as it was when it was first started.
//!
//! The parent of a PD may stop it anywhere, inside its allocator or while it holds a lock, and
//! restart it at its entry point. Microkit leaves its memory as it was. A new incarnation that used
//! this memory would find values half written, which no safe code expects. So the first incarnation
//! begins with a copy of the program's initialised data (`.data`), into which Microkit's tool has
//! written. Each later one copies it back, and fills the rest (`.bss`) with zeros. Nothing of an
//! earlier incarnation is left in the program: no borrow, no deferred action, no heap.
//!
//! Everything outside the program stays as it is: memory regions, what others know of the PD, and
//! notifications that have arrived and were not received.
//!
//! The code is in `platform/target/renew.rs`.

use core::cell::UnsafeCell;

/// How many bytes of initialised data are kept without `kept_data_size`.
pub const KEPT_DATA_BYTES: usize = 4096;

/// A copy of up to `BYTES` of initialised data, in a static.
#[doc(hidden)]
#[repr(C, align(16))]
pub struct Kept<const BYTES: usize> {
    /// How far the copy is: see `renew`.
    state: UnsafeCell<u64>,
    pub(crate) bytes: UnsafeCell<[u8; BYTES]>,
}

// SAFETY: only `renew` accesses this memory, while nothing else of the program runs.
unsafe impl<const BYTES: usize> Sync for Kept<BYTES> {}

impl<const BYTES: usize> Kept<BYTES> {
    /// Makes an empty copy.
    ///
    /// # Panics
    ///
    /// Panics if `BYTES` is not a multiple of 16. In a static, that is an error of the compiler.
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
