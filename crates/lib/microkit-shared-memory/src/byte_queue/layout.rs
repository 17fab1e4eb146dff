//! Where things are in the region, for both ends.
//!
//! Positions count bytes from the beginning of time; at a byte a nanosecond, 64 bits are enough for
//! five centuries.

use core::sync::atomic::Ordering;

use sel4_microkit::SharedWord;

use super::Broken;

/// Words in a cache line of 64 bytes, which is what AArch64 cores have: each end writes in one of
/// its own.
const LINE: usize = 8;

const BYTES_PER_WORD: usize = size_of::<u64>();

/// The region, seen as a queue.
#[derive(Debug)]
pub(crate) struct Layout {
    /// How many bytes were put. Written by the producer.
    pub(crate) put: &'static SharedWord,
    /// Not 0 if the producer waits for room. Set by the producer, cleared by the consumer.
    pub(crate) asked: &'static SharedWord,
    /// How many bytes were taken. Written by the consumer.
    pub(crate) taken: &'static SharedWord,
    /// The bytes, eight to a word, the first lowest. Written by the producer.
    data: &'static [SharedWord],
}

impl Layout {
    pub(crate) fn new(region: &'static [SharedWord]) -> Self {
        let (Some((positions, data)), true) =
            (region.split_at_checked(3 * LINE), region.len() > 3 * LINE)
        else {
            panic!(
                "a queue needs {} words and one for every eight bytes, but the region has {}",
                3 * LINE,
                region.len()
            );
        };
        Self {
            put: &positions[0],
            asked: &positions[LINE],
            taken: &positions[2 * LINE],
            data,
        }
    }

    /// How many bytes can be in the queue.
    pub(crate) fn capacity_bytes(&self) -> usize {
        self.data.len() * BYTES_PER_WORD
    }

    /// How many bytes are in the queue, if these positions can be.
    pub(crate) fn filled_bytes(&self, put: u64, taken: u64) -> Result<usize, Broken> {
        let filled = put.checked_sub(taken).ok_or(Broken)?;
        let filled = usize::try_from(filled).map_err(|_| Broken)?;
        if filled <= self.capacity_bytes() {
            Ok(filled)
        } else {
            Err(Broken)
        }
    }

    /// Reads the bytes from a position on.
    pub(crate) fn load(&self, mut position: u64, bytes: &mut [u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (word, first) = self.place(position);
            let count = rest.len().min(BYTES_PER_WORD - first);
            let (now, later) = rest.split_at_mut(count);
            now.copy_from_slice(&word.load(Ordering::Relaxed).to_le_bytes()[first..][..count]);
            position += count as u64;
            rest = later;
        }
    }

    /// Writes bytes from a position on. The producer alone writes here, so that a word's other
    /// bytes are as they were.
    pub(crate) fn store(&self, mut position: u64, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (word, first) = self.place(position);
            let count = rest.len().min(BYTES_PER_WORD - first);
            let (now, later) = rest.split_at(count);
            let mut value = [0; BYTES_PER_WORD];
            if count < BYTES_PER_WORD {
                value = word.load(Ordering::Relaxed).to_le_bytes();
            }
            value[first..][..count].copy_from_slice(now);
            word.store(u64::from_le_bytes(value), Ordering::Relaxed);
            position += count as u64;
            rest = later;
        }
    }

    /// The word in which the byte at a position is, and which of its bytes that is.
    fn place(&self, position: u64) -> (&SharedWord, usize) {
        let byte = (position % self.capacity_bytes() as u64) as usize;
        (&self.data[byte / BYTES_PER_WORD], byte % BYTES_PER_WORD)
    }
}
