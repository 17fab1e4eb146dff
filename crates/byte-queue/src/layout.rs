//! Where things are in the region, for both ends.
//!
//! Positions count bytes from the beginning of time; at a byte a nanosecond, 64 bits are enough for
//! five centuries.

use core::sync::atomic::{AtomicU64, Ordering};

use crate::Broken;

/// Words in a cache line of 64 bytes, which is what AArch64 cores have: each end writes in one of
/// its own.
const LINE: usize = 8;

const BYTES_PER_WORD: usize = size_of::<u64>();

/// The region, seen as a queue.
#[derive(Debug)]
pub(crate) struct Layout {
    /// How many bytes were put. Written by the producer.
    pub(crate) put: &'static AtomicU64,
    /// Not 0 if the producer waits for room. Set by the producer, cleared by the consumer.
    pub(crate) asked: &'static AtomicU64,
    /// How many bytes were taken. Written by the consumer.
    pub(crate) taken: &'static AtomicU64,
    /// The bytes, eight to a word, the first lowest. Written by the producer.
    data: &'static [AtomicU64],
}

impl Layout {
    pub(crate) fn new(region: &'static [AtomicU64]) -> Self {
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

    /// Reads the byte at a position.
    pub(crate) fn load(&self, position: u64) -> u8 {
        let (word, shift) = self.place(position);
        (word.load(Ordering::Relaxed) >> shift) as u8
    }

    /// Writes the byte at a position. The producer alone writes here, so that the word's other
    /// bytes are as they were.
    pub(crate) fn store(&self, position: u64, byte: u8) {
        let (word, shift) = self.place(position);
        let others = word.load(Ordering::Relaxed) & !(0xff << shift);
        word.store(others | u64::from(byte) << shift, Ordering::Relaxed);
    }

    fn place(&self, position: u64) -> (&AtomicU64, u32) {
        let byte = (position % self.capacity_bytes() as u64) as usize;
        let shift = (byte % BYTES_PER_WORD) as u32 * u8::BITS;
        (&self.data[byte / BYTES_PER_WORD], shift)
    }
}
