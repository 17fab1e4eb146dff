//! The layout of the region, for both ends.

use sel4_microkit::SharedWord;

use crate::Bytes;
use crate::memory::WORDS_PER_LINE;
use crate::ring::{Broken, Counted, Ring};

/// Words before the bytes. Each of the three has a cache line of its own, so that one end's writes
/// do not take the line that the other end reads.
const HEADER_WORDS: usize = 3 * WORDS_PER_LINE;

/// The region, seen as a queue.
#[derive(Debug)]
pub(crate) struct Layout {
    /// The number of bytes that were put. Written by the producer.
    pub(crate) put: &'static SharedWord,
    /// Not 0 if the producer waits for room. Set by the producer, cleared by the consumer.
    pub(crate) asked: &'static SharedWord,
    /// The number of bytes that were taken. Written by the consumer.
    pub(crate) taken: &'static SharedWord,
    /// The slots, each of a byte. Written by the producer.
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

    /// Returns the number of bytes that can be in the queue.
    pub(crate) fn capacity_bytes(&self) -> usize {
        self.data.len()
    }

    /// Returns the number of bytes in the queue, if these positions are possible.
    pub(crate) fn filled_bytes(&self, put: u64, taken: u64) -> Result<usize, Broken> {
        // At most the capacity, which is a `usize`.
        self.ring.filled(put, taken).map(|filled| filled as usize)
    }

    /// Returns the position `count` bytes later.
    pub(crate) fn advance(&self, position: u64, count: usize) -> u64 {
        self.ring.advance(position, count as u64)
    }

    /// Reads the bytes from a position on: at most as many as there are slots.
    pub(crate) fn load(&self, mut position: u64, mut bytes: &mut [u8]) {
        // Word by word: the capacity is a number of words, so no word lies across the end.
        while !bytes.is_empty() {
            let count = self.data.copy_word_out(self.ring.slot(position), bytes);
            position = self.advance(position, count);
            bytes = &mut bytes[count..];
        }
    }

    /// Writes bytes from a position on: at most as many as there are slots. Only the producer
    /// writes here, so the other bytes of a word keep their values.
    pub(crate) fn store(&self, mut position: u64, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let count = self.data.copy_word_in(self.ring.slot(position), bytes);
            position = self.advance(position, count);
            bytes = &bytes[count..];
        }
    }
}
