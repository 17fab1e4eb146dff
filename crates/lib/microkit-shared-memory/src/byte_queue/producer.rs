//! The end that puts.

use core::sync::atomic::Ordering;

use sel4_microkit::SharedWord;

use super::layout::Layout;
use crate::Broken;

/// The end of a queue that puts bytes into it.
#[derive(Debug)]
pub struct ByteProducer {
    layout: Layout,
    put: u64,
}

impl ByteProducer {
    /// Takes this end of the queue in `region`, which is zeros and has no other producer.
    ///
    /// It begins at the beginning: after one of two protection domains is started anew, the queue is
    /// only sound again when the other is too, and the region is zeros.
    ///
    /// **Panics:** if the region has less than 25 words.
    pub fn new(region: &'static [SharedWord]) -> Self {
        Self {
            layout: Layout::new(region),
            put: 0,
        }
    }

    /// How many bytes the queue can hold.
    pub fn capacity_bytes(&self) -> usize {
        self.layout.capacity_bytes()
    }

    /// How many bytes were put and not yet taken.
    ///
    /// **Errors:** the other end is broken.
    pub fn filled_bytes(&self) -> Result<usize, Broken> {
        // SeqCst, with that of `ask` and of the consumer: either this sees what was taken, or the
        // consumer sees that it was asked.
        let taken = self.layout.taken.load(Ordering::SeqCst);
        self.layout.filled_bytes(self.put, taken)
    }

    /// For how many more bytes there is room.
    ///
    /// **Errors:** the other end is broken.
    pub fn room_bytes(&self) -> Result<usize, Broken> {
        Ok(self.capacity_bytes() - self.filled_bytes()?)
    }

    /// Puts as many of `bytes` as there is room for, from the first, and returns how many.
    ///
    /// **Blocks:** never. **Errors:** the other end is broken.
    pub fn put(&mut self, bytes: &[u8]) -> Result<usize, Broken> {
        let count = bytes.len().min(self.room_bytes()?);
        self.layout.store(self.put, &bytes[..count]);
        self.put = self.layout.advance(self.put, count);
        // Release: who sees the position sees the bytes.
        self.layout.put.store(self.put, Ordering::Release);
        Ok(count)
    }

    /// Asks the other end to notify when it has taken something, and returns how many bytes were
    /// put and not yet taken, as seen after asking: if the queue is still as full as one feared,
    /// one may wait.
    ///
    /// **Blocks:** never. **Errors:** the other end is broken.
    pub fn ask_for_room(&mut self) -> Result<usize, Broken> {
        self.layout.asked.store(1, Ordering::SeqCst);
        self.filled_bytes()
    }
}
