//! Conversion of values to words and back.

use core::fmt;
use core::sync::atomic::Ordering;

use zerocopy::{Immutable, IntoBytes, TryFromBytes};

use crate::{Memory, WritableMemory};

/// A type whose values can be stored in shared memory. Every byte of a value is initialised. Bytes
/// from shared memory are checked before they are converted to a value.
///
/// The derives of `zerocopy` implement the three supertraits. A `Plain` type contains no
/// references. Values are copied in and out, so no reference to shared memory is ever created.
pub trait Plain: TryFromBytes + IntoBytes + Immutable {}

impl<T: TryFromBytes + IntoBytes + Immutable> Plain for T {}

/// The maximum size of a value, in bytes. For larger data, use a [`Pool`](crate::Pool).
pub const MAX_BYTES: usize = 512;

const BYTES_PER_WORD: usize = size_of::<u64>();

/// Returns the number of words of a `T`. Compilation fails if `T` is empty or too large.
pub(crate) const fn words_of<T>() -> usize {
    const {
        assert!(
            size_of::<T>() > 0,
            "a value in shared memory has at least a byte"
        );
        assert!(
            size_of::<T>() <= MAX_BYTES,
            "a value in shared memory has at most 512 bytes: send larger ones through a `Pool`"
        );
    }
    size_of::<T>().div_ceil(BYTES_PER_WORD)
}

/// Reads the words of a value, one after another. If another PD writes at the same time, the result
/// may be a mix of old and new words.
#[inline]
pub(crate) fn load<T: Plain>(
    memory: &impl Memory,
    first: usize,
    order: Ordering,
) -> Result<T, Invalid> {
    with_room::<T, _>(|words| {
        for (index, word) in (first..).zip(words.iter_mut()) {
            *word = memory.load(index, order);
        }
        let bytes = &words.as_bytes()[..size_of::<T>()];
        T::try_read_from_bytes(bytes).map_err(|_| Invalid)
    })
}

/// Writes the words of a value, one after another.
#[inline]
pub(crate) fn store<T: Plain>(
    memory: &impl WritableMemory,
    first: usize,
    value: &T,
    order: Ordering,
) {
    with_room::<T, _>(|words| {
        words.as_mut_bytes()[..size_of::<T>()].copy_from_slice(value.as_bytes());
        for (index, word) in (first..).zip(words.iter()) {
            memory.store(index, *word, order);
        }
    });
}

/// Calls the closure with a zeroed slice of `words_of::<T>()` words. The three array sizes avoid
/// zeroing 512 bytes for a small value.
#[inline]
fn with_room<T, R>(with: impl FnOnce(&mut [u64]) -> R) -> R {
    match words_of::<T>() {
        words @ 0..=2 => with(&mut [0; 2][..words]),
        words @ 3..=8 => with(&mut [0; 8][..words]),
        words => with(&mut [0; MAX_BYTES / BYTES_PER_WORD][..words]),
    }
}

/// The bytes in shared memory are not a value of the type.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Invalid;

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the bytes in shared memory are not a value of the type: their writer is broken or \
             hostile, or was built with another type",
        )
    }
}

impl core::error::Error for Invalid {}
