//! The consumer end of a queue of bytes.

use core::sync::atomic::Ordering;

use sel4_microkit::SharedWord;

use super::layout::Layout;
use crate::Broken;

/// The consumer end of a queue of bytes. The page of the other end,
/// [`ByteProducer`](crate::ByteProducer), has a description and an example.
#[derive(Debug)]
pub struct ByteConsumer {
    layout: Layout,
    taken: u64,
}

impl ByteConsumer {
    /// Creates the consumer of the queue in `region`. The region must be zero before its first use.
    /// The producer may already have put bytes. A queue has only one consumer.
    ///
    /// **Rights:** a `<map>` with `rw`.
    ///
    /// # Panics
    ///
    /// Panics if the region has fewer than 25 words.
    pub fn new(region: &'static [SharedWord]) -> Self {
        Self {
            layout: Layout::new(region),
            taken: 0,
        }
    }

    /// Returns the number of bytes that can be taken.
    ///
    /// # Errors
    ///
    /// Returns [`Broken`] if the producer has written an impossible position.
    pub fn filled_bytes(&self) -> Result<usize, Broken> {
        // Acquire: a consumer that sees the position also sees the bytes.
        let put = self.layout.put.load(Ordering::Acquire);
        self.layout.filled_bytes(put, self.taken)
    }

    /// Takes as many bytes as possible into `buffer`, and returns their number.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`Broken`] if the producer has written an impossible position.
    pub fn take(&mut self, buffer: &mut [u8]) -> Result<usize, Broken> {
        let count = buffer.len().min(self.filled_bytes()?);
        self.layout.load(self.taken, &mut buffer[..count]);
        self.taken = self.layout.advance(self.taken, count);
        // Release: the producer cannot overwrite the bytes before they are read. SeqCst: this store
        // precedes the load of `asked`.
        self.layout.taken.store(self.taken, Ordering::SeqCst);
        Ok(count)
    }

    /// Takes one byte, or returns `None` if the queue is empty.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`Broken`] if the producer has written an impossible position.
    pub fn take_byte(&mut self) -> Result<Option<u8>, Broken> {
        let mut byte = [0];
        let count = self.take(&mut byte)?;
        Ok((count == 1).then_some(byte[0]))
    }

    /// Returns whether the producer waits for room, and clears the producer's request.
    ///
    /// Call this after taking bytes. If the result is true, notify the producer. Each request is
    /// reported only once.
    pub fn was_asked_for_room(&mut self) -> bool {
        self.layout.asked.load(Ordering::SeqCst) != 0
            && self.layout.asked.swap(0, Ordering::SeqCst) != 0
    }
}
