//! Shared memory as bytes, copied in and out.

use core::fmt;
use core::sync::atomic::Ordering;

use crate::{Memory, WritableMemory};

const BYTES_PER_WORD: usize = size_of::<u64>();

/// Shared memory as bytes: eight to a word, the first in the lowest.
///
/// What others write meanwhile may be in some of the bytes that are read and not in others: who may
/// write when is to be agreed, by a queue, a [`Pool`](crate::Pool) or a lease.
#[derive(Debug, Copy, Clone)]
pub struct Bytes<M> {
    memory: M,
}

impl<M: Memory> Bytes<M> {
    /// The bytes of `memory`.
    pub const fn new(memory: M) -> Self {
        Self { memory }
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.memory.words().saturating_mul(BYTES_PER_WORD)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies bytes out, from one on.
    ///
    /// **Blocks:** never. **Errors:** the memory ends before that; then nothing was copied.
    pub fn read(&self, offset: usize, to: &mut [u8]) -> Result<(), OutOfBounds> {
        let at = self.check(offset, to.len())?;
        self.copy_out(at, to);
        Ok(())
    }

    /// Copies bytes out, from one on. All of them are in the memory.
    pub(crate) fn copy_out(&self, mut at: usize, mut to: &mut [u8]) {
        while !to.is_empty() {
            let (word, first) = (at / BYTES_PER_WORD, at % BYTES_PER_WORD);
            let count = to.len().min(BYTES_PER_WORD - first);
            let (now, later) = to.split_at_mut(count);
            let value = self.memory.load(word, Ordering::Relaxed).to_le_bytes();
            now.copy_from_slice(&value[first..][..count]);
            at += count;
            to = later;
        }
    }

    /// Copies bytes in, from one on. Of a word that is written in part, the other bytes are written
    /// as they were read.
    ///
    /// **Blocks:** never. **Needs:** a `<map>` with `w`. **Errors:** the memory ends before that;
    /// then nothing was copied.
    pub fn write(&self, offset: usize, from: &[u8]) -> Result<(), OutOfBounds>
    where
        M: WritableMemory,
    {
        let at = self.check(offset, from.len())?;
        self.copy_in(at, from);
        Ok(())
    }

    /// Copies bytes in, from one on. All of them are in the memory.
    pub(crate) fn copy_in(&self, mut at: usize, mut from: &[u8])
    where
        M: WritableMemory,
    {
        while !from.is_empty() {
            let (word, first) = (at / BYTES_PER_WORD, at % BYTES_PER_WORD);
            let count = from.len().min(BYTES_PER_WORD - first);
            let (now, later) = from.split_at(count);
            let mut value = [0; BYTES_PER_WORD];
            if count < BYTES_PER_WORD {
                value = self.memory.load(word, Ordering::Relaxed).to_le_bytes();
            }
            value[first..][..count].copy_from_slice(now);
            let value = u64::from_le_bytes(value);
            self.memory.store(word, value, Ordering::Relaxed);
            at += count;
            from = later;
        }
    }

    pub(crate) const fn memory(&self) -> &M {
        &self.memory
    }

    fn check(&self, offset: usize, count: usize) -> Result<usize, OutOfBounds> {
        let end = offset.checked_add(count);
        if end.is_some_and(|end| end <= self.len()) {
            Ok(offset)
        } else {
            Err(OutOfBounds)
        }
    }
}

/// The bytes asked for are not all in the memory, the buffer or the lease.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct OutOfBounds;

impl fmt::Display for OutOfBounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes asked for reach beyond the shared memory that was given for them")
    }
}

impl core::error::Error for OutOfBounds {}
