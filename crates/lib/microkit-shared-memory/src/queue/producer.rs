//! The producer end of a queue of records.

use core::fmt;
use core::marker::PhantomData;
use core::sync::atomic::Ordering;

use super::end::{self, End};
use super::{PeerError, capacity};
use crate::value::{self, Plain, words_of};
use crate::{Memory, TooSmall, WritableMemory};

/// The producer end of a queue of records. The other end is a [`Consumer`](crate::Consumer).
///
/// The producer writes to its own memory `M`, and only reads the consumer's memory `N`. So each PD
/// can map the peer's memory without `w`.
///
/// The crate page has an example.
#[derive(Debug)]
pub struct Producer<T, M, N> {
    end: End<M, N>,
    records: PhantomData<fn(T)>,
}

impl<T: Plain, M: WritableMemory, N: Memory> Producer<T, M, N> {
    /// Opens the producer as a new incarnation, with an empty queue. `own` is the producer's
    /// memory, with at least [`producer_words`](crate::producer_words) words. A queue has only one
    /// producer.
    ///
    /// The consumer need not be open yet. Records put before the consumer's first incarnation stay
    /// in the queue. After this call, [`must_notify`](Self::must_notify) returns true.
    ///
    /// **Rights:** a `<map>` with `w` for `own`, a `<map>` for `consumer`.
    ///
    /// # Errors
    ///
    /// Returns [`TooSmall`] if a memory is too small for one record.
    pub fn open(own: M, consumer: N) -> Result<Self, TooSmall> {
        let capacity = capacity::<T>(&own, &consumer)?;
        Ok(Self {
            end: End::open(own, consumer, size_of::<T>(), capacity),
            records: PhantomData,
        })
    }

    /// Returns the maximum number of records in the queue.
    pub fn capacity(&self) -> usize {
        self.end.ring.capacity() as usize
    }

    /// Returns the epoch of this end. Each incarnation has a different epoch. Epochs repeat after
    /// 16 million incarnations.
    pub const fn epoch(&self) -> u32 {
        self.end.epoch()
    }

    /// Returns the number of records that can still be put.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns a [`PeerError`] if the consumer was restarted or its memory is invalid.
    pub fn room(&mut self) -> Result<usize, PeerError> {
        self.end.wake();
        self.look().map(|room| room as usize)
    }

    /// Puts a record.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`PushError::Full`] if the queue is full. Returns [`PushError::Peer`] if the
    /// consumer was restarted or its memory is invalid. After an error, the record was not put.
    pub fn push(&mut self, record: &T) -> Result<(), PushError> {
        self.end.wake();
        if self.look()? == 0 {
            return Err(PushError::Full);
        }
        let slot = end::WORDS + self.end.slot() * words_of::<T>();
        value::store(&self.end.own, slot, record, Ordering::Relaxed);
        self.end.advance();
        Ok(())
    }

    /// Returns whether to notify the consumer. Call this after putting all available records.
    ///
    /// The result is true if the consumer sleeps and was not notified yet. The result is also true
    /// if the consumer must still be notified of a restart.
    ///
    /// **Blocking:** never.
    #[must_use = "a consumer that sleeps and is not notified sleeps forever"]
    pub fn must_notify(&mut self) -> bool {
        self.end.must_notify()
    }

    /// Returns whether the consumer can no longer act on an earlier incarnation of this end.
    ///
    /// **Blocking:** never.
    pub fn is_settled(&self) -> bool {
        self.end.is_settled()
    }

    /// Announces that the producer will wait for room, and checks the queue once more. Returns
    /// whether the producer may wait for a notification. If the result is false, the queue has
    /// room, and the consumer might not notify.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns a [`PeerError`] if the consumer was restarted or its memory is invalid. After an
    /// error, the producer must not wait.
    pub fn may_sleep(&mut self) -> Result<bool, PeerError> {
        self.end.announce_sleep();
        let room = self.look();
        if room != Ok(0) {
            self.end.wake();
        }
        Ok(room? == 0)
    }

    fn look(&mut self) -> Result<u64, PeerError> {
        let taken = self.end.look()?;
        let (ring, before) = (&self.end.ring, self.end.peer_position);
        let filled = ring.filled_after_taking(self.end.position, before, taken)?;
        self.end.peer_position = taken;
        Ok(self.end.ring.capacity() - filled)
    }
}

/// The reason why a record was not put.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum PushError {
    /// The queue is full.
    Full,
    /// The consumer was restarted or its memory is invalid.
    Peer(PeerError),
}

impl From<PeerError> for PushError {
    fn from(error: PeerError) -> Self {
        Self::Peer(error)
    }
}

impl fmt::Display for PushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => {
                f.write_str("the queue is full: wait until the other end has taken a record")
            }
            Self::Peer(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for PushError {}
