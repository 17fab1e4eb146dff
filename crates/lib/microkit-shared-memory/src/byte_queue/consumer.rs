//! The end that takes.

use core::sync::atomic::Ordering;

use sel4_microkit::SharedWord;

use super::layout::Layout;
use crate::Broken;

/// The end of a queue that takes bytes out of it.
#[derive(Debug)]
pub struct ByteConsumer {
    layout: Layout,
    taken: u64,
}

impl ByteConsumer {
    /// Takes this end of the queue in `region`, which is zeros or has been put into, and has no
    /// other consumer.
    ///
    /// It begins at the beginning: after one of two protection domains is started anew, the queue is
    /// only sound again when the other is too, and the region is zeros.
    ///
    /// **Panics:** if the region has less than 25 words.
    pub fn new(region: &'static [SharedWord]) -> Self {
        Self {
            layout: Layout::new(region),
            taken: 0,
        }
    }

    /// How many bytes there are to take.
    ///
    /// **Errors:** the other end is broken.
    pub fn filled_bytes(&self) -> Result<usize, Broken> {
        // Acquire: who sees the position sees the bytes.
        let put = self.layout.put.load(Ordering::Acquire);
        self.layout.filled_bytes(put, self.taken)
    }

    /// Takes as many bytes as there are and fit into `buffer`, and returns how many.
    ///
    /// **Blocks:** never. **Errors:** the other end is broken.
    pub fn take(&mut self, buffer: &mut [u8]) -> Result<usize, Broken> {
        let count = buffer.len().min(self.filled_bytes()?);
        self.layout.load(self.taken, &mut buffer[..count]);
        self.taken = self.layout.advance(self.taken, count);
        // Release: the bytes were read before the other end writes over them. SeqCst, so that it
        // comes before the look at what the other end asked.
        self.layout.taken.store(self.taken, Ordering::SeqCst);
        Ok(count)
    }

    /// Takes one byte, if there is one.
    ///
    /// **Blocks:** never. **Errors:** the other end is broken.
    pub fn take_byte(&mut self) -> Result<Option<u8>, Broken> {
        let mut byte = [0];
        let count = self.take(&mut byte)?;
        Ok((count == 1).then_some(byte[0]))
    }

    /// Whether the other end waits for room. To be looked at after something was taken; the other
    /// end is then to be notified, as it has been told by this that it will be.
    pub fn was_asked_for_room(&mut self) -> bool {
        self.layout.asked.load(Ordering::SeqCst) != 0
            && self.layout.asked.swap(0, Ordering::SeqCst) != 0
    }
}
