//! Shared memory as bytes that are copied in and out.

use core::fmt;
use core::sync::atomic::Ordering;

use crate::{Memory, WritableMemory};

const BYTES_PER_WORD: usize = size_of::<u64>();

/// A view of shared memory as bytes. Each word holds eight bytes in little-endian order.
///
/// If another PD writes during a read, the read may return a mix of old and new bytes. The PDs must
/// synchronise their accesses with a queue, a [`Pool`](crate::Pool) or a lease.
///
/// # Examples
///
/// ```
/// use microkit_shared_memory::{Bytes, OutOfBounds};
/// # use sel4_microkit::SharedWord;
/// # let region: &'static [SharedWord] = Box::leak((0..2).map(|_| SharedWord::new(0)).collect());
///
/// let bytes = Bytes::new(region); // Or `REGION.words()`.
/// bytes.write(6, b"hello")?;
/// let mut read = [0; 5];
/// bytes.read(6, &mut read)?;
/// assert_eq!(&read, b"hello");
/// assert_eq!(bytes.read(12, &mut read), Err(OutOfBounds));
/// # Ok::<(), OutOfBounds>(())
/// ```
#[derive(Debug, Copy, Clone)]
pub struct Bytes<M> {
    memory: M,
}

impl<M: Memory> Bytes<M> {
    /// Creates a byte view of `memory`.
    pub const fn new(memory: M) -> Self {
        Self { memory }
    }

    /// Returns the number of bytes.
    pub fn len(&self) -> usize {
        self.memory.words().saturating_mul(BYTES_PER_WORD)
    }

    /// Returns whether the memory has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies bytes out of the memory, starting at `offset`.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`OutOfBounds`], without copying, if the range reaches beyond the end of the memory.
    pub fn read(&self, offset: usize, mut to: &mut [u8]) -> Result<(), OutOfBounds> {
        let mut at = self.check(offset, to.len())?;
        while !to.is_empty() {
            let count = self.copy_word_out(at, to);
            at += count;
            to = &mut to[count..];
        }
        Ok(())
    }

    /// Copies bytes out of one word into the start of `to`. `at` is the byte index in the memory.
    /// Returns the number of bytes copied.
    #[inline]
    pub(crate) fn copy_word_out(&self, at: usize, to: &mut [u8]) -> usize {
        let (word, first) = (at / BYTES_PER_WORD, at % BYTES_PER_WORD);
        let count = to.len().min(BYTES_PER_WORD - first);
        let value = self.memory.load(word, Ordering::Relaxed).to_le_bytes();
        to[..count].copy_from_slice(&value[first..][..count]);
        count
    }

    /// Copies bytes into the memory, starting at `offset`. A partly written word is read, changed
    /// and written back as a whole.
    ///
    /// **Blocking:** never. **Rights:** a `<map>` with `w`.
    ///
    /// # Errors
    ///
    /// Returns [`OutOfBounds`], without copying, if the range reaches beyond the end of the memory.
    pub fn write(&self, offset: usize, mut from: &[u8]) -> Result<(), OutOfBounds>
    where
        M: WritableMemory,
    {
        let mut at = self.check(offset, from.len())?;
        while !from.is_empty() {
            let count = self.copy_word_in(at, from);
            at += count;
            from = &from[count..];
        }
        Ok(())
    }

    /// Copies the start of `from` into one word. `at` is the byte index in the memory. Returns the
    /// number of bytes copied.
    #[inline]
    pub(crate) fn copy_word_in(&self, at: usize, from: &[u8]) -> usize
    where
        M: WritableMemory,
    {
        let (word, first) = (at / BYTES_PER_WORD, at % BYTES_PER_WORD);
        let count = from.len().min(BYTES_PER_WORD - first);
        let mut value = [0; BYTES_PER_WORD];
        if count < BYTES_PER_WORD {
            value = self.memory.load(word, Ordering::Relaxed).to_le_bytes();
        }
        value[first..][..count].copy_from_slice(&from[..count]);
        let value = u64::from_le_bytes(value);
        self.memory.store(word, value, Ordering::Relaxed);
        count
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

/// The byte range is not inside the memory, the buffer or the lease.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct OutOfBounds;

impl fmt::Display for OutOfBounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("some of the bytes are outside of the shared memory, the buffer or the lease")
    }
}

impl core::error::Error for OutOfBounds {}
