//! The producer end of a queue of bytes.

use core::sync::atomic::Ordering;

use sel4_microkit::SharedWord;

use super::layout::Layout;
use crate::Broken;

/// The producer end of a queue of bytes. The other end is a [`ByteConsumer`](crate::ByteConsumer).
///
/// The queue is in one region, which `shared_words!` returns. Both protection domains (PDs) map the
/// region with `rw`. All words must be zero at the start. The first 24 words hold the positions of
/// the two ends and the request for room. Each other word holds eight bytes.
///
/// Neither end trusts the other. Each end keeps its own position in private memory, and returns
/// [`Broken`] if the peer's position is impossible. A malicious peer cannot make this end access
/// memory outside the region, or take more bytes than the queue holds.
///
/// The queue never blocks and never notifies. After putting bytes, the producer must notify the
/// consumer. If the queue is full, the producer calls [`ask_for_room`](Self::ask_for_room) and
/// waits. After taking bytes, the consumer calls
/// [`was_asked_for_room`](crate::ByteConsumer::was_asked_for_room), and notifies the producer if
/// the result is true.
///
/// The queue does not support the restart of only one PD: both PDs must be restarted, and the
/// region must be zeroed. The queue of a [`Producer`](crate::Producer) supports such a restart.
///
/// # Examples
///
/// ```
/// use microkit_shared_memory::{ByteConsumer, ByteProducer};
/// # use sel4_microkit::SharedWord;
/// # let region: &'static [SharedWord] = Box::leak((0..64).map(|_| SharedWord::new(0)).collect());
///
/// // In each of the two PDs: let region = shared_words!(queue, queue_size, SharedWord);
/// let mut producer = ByteProducer::new(region);
/// assert_eq!(producer.put(b"hello")?, 5);
///
/// let mut consumer = ByteConsumer::new(region);
/// let mut bytes = [0; 16];
/// assert_eq!(consumer.take(&mut bytes)?, 5);
/// assert_eq!(&bytes[..5], b"hello");
/// # Ok::<(), microkit_shared_memory::Broken>(())
/// ```
#[derive(Debug)]
pub struct ByteProducer {
    layout: Layout,
    put: u64,
}

impl ByteProducer {
    /// Creates the producer of the queue in `region`. All words of the region must be zero. A queue
    /// has only one producer.
    ///
    /// **Rights:** a `<map>` with `rw`.
    ///
    /// # Panics
    ///
    /// Panics if the region has fewer than 25 words.
    pub fn new(region: &'static [SharedWord]) -> Self {
        Self {
            layout: Layout::new(region),
            put: 0,
        }
    }

    /// Returns the maximum number of bytes in the queue.
    pub fn capacity_bytes(&self) -> usize {
        self.layout.capacity_bytes()
    }

    /// Returns the number of bytes that were put and not yet taken.
    ///
    /// # Errors
    ///
    /// Returns [`Broken`] if the consumer has written an impossible position.
    pub fn filled_bytes(&self) -> Result<usize, Broken> {
        // SeqCst orders this load after the store of `asked`: either this load sees the bytes
        // taken, or the consumer sees the request.
        let taken = self.layout.taken.load(Ordering::SeqCst);
        self.layout.filled_bytes(self.put, taken)
    }

    /// Returns the number of bytes that can still be put.
    ///
    /// # Errors
    ///
    /// Returns [`Broken`] if the consumer has written an impossible position.
    pub fn room_bytes(&self) -> Result<usize, Broken> {
        Ok(self.capacity_bytes() - self.filled_bytes()?)
    }

    /// Puts the first bytes of `bytes`, as many as fit, and returns their number.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`Broken`] if the consumer has written an impossible position.
    pub fn put(&mut self, bytes: &[u8]) -> Result<usize, Broken> {
        let count = bytes.len().min(self.room_bytes()?);
        self.layout.store(self.put, &bytes[..count]);
        self.put = self.layout.advance(self.put, count);
        // Release: a consumer that sees the position also sees the bytes.
        self.layout.put.store(self.put, Ordering::Release);
        Ok(count)
    }

    /// Requests a notification when the consumer takes bytes. Returns the number of bytes in the
    /// queue after the request.
    ///
    /// Wait only if the queue is as full as before this call. Otherwise, the consumer has already
    /// taken bytes and might not notify.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`Broken`] if the consumer has written an impossible position.
    ///
    /// # Examples
    ///
    /// ```
    /// # use microkit_shared_memory::{Broken, ByteProducer};
    /// # use sel4_microkit::SharedWord;
    /// # let region: &'static [SharedWord] = Box::leak((0..64).map(|_| SharedWord::new(0)).collect());
    /// /// Returns whether the producer may wait for the consumer's notification.
    /// fn must_wait(producer: &mut ByteProducer) -> Result<bool, Broken> {
    ///     Ok(producer.ask_for_room()? == producer.capacity_bytes())
    /// }
    /// # let mut producer = ByteProducer::new(region);
    /// # assert_eq!(must_wait(&mut producer), Ok(false));
    /// ```
    pub fn ask_for_room(&mut self) -> Result<usize, Broken> {
        self.layout.asked.store(1, Ordering::SeqCst);
        self.filled_bytes()
    }
}
