//! Values to words, and words to values.

use core::fmt;
use core::sync::atomic::Ordering;

use zerocopy::{Immutable, IntoBytes, TryFromBytes};

use crate::{Memory, WritableMemory};

/// What can stand in shared memory: a type that can be made bytes of without leaving any out, and
/// whose bytes can be checked. `zerocopy` derives its three traits.
///
/// It is copied in and out, so it has no references, and nothing here gives one to shared memory.
pub trait Plain: TryFromBytes + IntoBytes + Immutable {}

impl<T: TryFromBytes + IntoBytes + Immutable> Plain for T {}

/// How many bytes a value can have that is copied at once. Larger ones go through a
/// [`Pool`](crate::Pool).
pub const MAX_BYTES: usize = 512;

const BYTES_PER_WORD: usize = size_of::<u64>();

/// How many words a value takes. A type that is empty or too large does not compile.
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

/// Reads the words of a value, one after another: what others write meanwhile may be in some of them.
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

/// Gives as many words as a `T` takes, which are zeros; no more than needed are made so.
#[inline]
fn with_room<T, R>(with: impl FnOnce(&mut [u64]) -> R) -> R {
    match words_of::<T>() {
        words @ 0..=2 => with(&mut [0; 2][..words]),
        words @ 3..=8 => with(&mut [0; 8][..words]),
        words => with(&mut [0; MAX_BYTES / BYTES_PER_WORD][..words]),
    }
}

/// What stands in shared memory is no value of the type.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Invalid;

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the bytes in shared memory are no value of the type: whoever wrote them is not to be \
             trusted, or was built with another type",
        )
    }
}

impl core::error::Error for Invalid {}
