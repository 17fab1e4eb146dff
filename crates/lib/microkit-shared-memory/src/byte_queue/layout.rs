//! The memory layout of a queue of bytes, used by both ends.

use sel4_microkit::SharedWord;

use crate::Bytes;
use crate::memory::WORDS_PER_LINE;
use crate::ring::{Broken, Counted, Ring};

/// The number of words before the bytes. Each of the three header words has its own cache line. So
/// a write to one word does not invalidate the cache lines of the others.
const HEADER_WORDS: usize = 3 * WORDS_PER_LINE;

/// A region with the layout of a queue.
#[derive(Debug)]
pub(crate) struct Layout {
    /// The number of bytes put so far. Written by the producer.
    pub(crate) put: &'static SharedWord,
    /// Not 0 if the producer waits for room. Set by the producer, cleared by the consumer.
    pub(crate) asked: &'static SharedWord,
    /// The number of bytes taken so far. Written by the consumer.
    pub(crate) taken: &'static SharedWord,
    /// The slots, one byte each. Written by the producer.
    data: Bytes<&'static [SharedWord]>,
    ring: Ring<Counted>,
}

impl Layout {
    pub(crate) fn new(region: &'static [SharedWord]) -> Self {
        let (Some((header, data)), true) = (
            region.split_at_checked(HEADER_WORDS),
            region.len() > HEADER_WORDS,
        ) else {
            panic!(
                "a queue of bytes needs {HEADER_WORDS} words and one for every eight bytes, but \
                 the region has {}",
                region.len()
            );
        };
        let data = Bytes::new(data);
        Self {
            put: &header[0],
            asked: &header[WORDS_PER_LINE],
            taken: &header[2 * WORDS_PER_LINE],
            ring: Ring::new(data.len() as u64),
            data,
        }
    }

    /// Returns the maximum number of bytes in the queue.
    pub(crate) fn capacity_bytes(&self) -> usize {
        self.data.len()
    }

    /// Returns the number of bytes in the queue. Returns [`Broken`] if the positions are
    /// impossible.
    pub(crate) fn filled_bytes(&self, put: u64, taken: u64) -> Result<usize, Broken> {
        // The cast is lossless: the number is at most the capacity, which is a `usize`.
        self.ring.filled(put, taken).map(|filled| filled as usize)
    }

    /// Returns the position `count` bytes after `position`.
    pub(crate) fn advance(&self, position: u64, count: usize) -> u64 {
        self.ring.advance(position, count as u64)
    }

    /// Reads bytes, starting at `position`. The caller must not read more bytes than the capacity.
    pub(crate) fn load(&self, mut position: u64, mut bytes: &mut [u8]) {
        // Copy word by word. The capacity is a whole number of words, so no word wraps around the
        // end.
        while !bytes.is_empty() {
            let count = self.data.copy_word_out(self.ring.slot(position), bytes);
            position = self.advance(position, count);
            bytes = &mut bytes[count..];
        }
    }

    /// Writes bytes, starting at `position`. The caller must not write more bytes than the
    /// capacity. Only the producer writes to the data words, so the other bytes of a word keep
    /// their values.
    pub(crate) fn store(&self, mut position: u64, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let count = self.data.copy_word_in(self.ring.slot(position), bytes);
            position = self.advance(position, count);
            bytes = &bytes[count..];
        }
    }
}
