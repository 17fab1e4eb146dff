//! The consumer end of a queue of records.

use core::fmt;
use core::marker::PhantomData;
use core::sync::atomic::Ordering;

use super::end::{self, End};
use super::{PeerError, capacity};
use crate::value::{self, Invalid, Plain, words_of};
use crate::{Memory, TooSmall, WritableMemory};

/// The consumer end of a queue of records. The other end is a [`Producer`](crate::Producer).
///
/// The consumer writes to its own memory `M`, and only reads the producer's memory `N`. The records
/// are in `N`.
///
/// The crate page has an example.
#[derive(Debug)]
pub struct Consumer<T, M, N> {
    end: End<M, N>,
    records: PhantomData<fn() -> T>,
}

impl<T: Plain, M: WritableMemory, N: Memory> Consumer<T, M, N> {
    /// Opens the consumer as a new incarnation, with an empty queue. `own` is the consumer's
    /// memory, with at least [`CONSUMER_WORDS`](crate::CONSUMER_WORDS) words. A queue has only one
    /// consumer.
    ///
    /// After this call, [`must_notify`](Self::must_notify) returns true.
    ///
    /// **Rights:** a `<map>` with `w` for `own`, a `<map>` for `producer`.
    ///
    /// # Errors
    ///
    /// Returns [`TooSmall`] if a memory is too small for one record.
    pub fn open(own: M, producer: N) -> Result<Self, TooSmall> {
        let capacity = capacity::<T>(&producer, &own)?;
        Ok(Self {
            end: End::open(own, producer, size_of::<T>(), capacity),
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

    /// Returns the number of records that can be taken.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns a [`PeerError`] if the producer was restarted or its memory is invalid.
    pub fn filled(&mut self) -> Result<usize, PeerError> {
        self.end.wake();
        self.look().map(|filled| filled as usize)
    }

    /// Takes the oldest record, or returns `None` if the queue is empty.
    ///
    /// Each record is returned at most once. A consumer that is restarted while it handles a record
    /// does not get that record again.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`PopError::Invalid`] if the record is not a `T`. The invalid record is removed from
    /// the queue. Returns [`PopError::Peer`] if the producer was restarted or its memory is
    /// invalid.
    pub fn pop(&mut self) -> Result<Option<T>, PopError> {
        self.end.wake();
        if self.look()? == 0 {
            return Ok(None);
        }
        let slot = end::WORDS + self.end.slot() * words_of::<T>();
        let record = value::load(&self.end.peer, slot, Ordering::Relaxed);
        // The producer may have been restarted during the copy, and may have overwritten the
        // record. If any overwritten word was read, the next `look` sees the new epoch.
        self.end.peer.fence(Ordering::Acquire);
        self.end.look()?;
        self.end.advance();
        Ok(Some(record?))
    }

    /// Returns whether to notify the producer. Call this after taking all available records.
    ///
    /// The result is true if the producer waits for room and was not notified yet. The result is
    /// also true if the producer must still be notified of a restart.
    ///
    /// **Blocking:** never.
    #[must_use = "a producer that sleeps and is not notified sleeps forever"]
    pub fn must_notify(&mut self) -> bool {
        self.end.must_notify()
    }

    /// Returns whether the producer can no longer act on an earlier incarnation of this end.
    ///
    /// **Blocking:** never.
    pub fn is_settled(&self) -> bool {
        self.end.is_settled()
    }

    /// Announces that the consumer will wait for a record, and checks the queue once more. Returns
    /// whether the consumer may wait for a notification. If the result is false, a record is
    /// available, and the producer might not notify.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns a [`PeerError`] if the producer was restarted or its memory is invalid. After an
    /// error, the consumer must not wait.
    pub fn may_sleep(&mut self) -> Result<bool, PeerError> {
        self.end.announce_sleep();
        let filled = self.look();
        if filled != Ok(0) {
            self.end.wake();
        }
        Ok(filled? == 0)
    }

    fn look(&mut self) -> Result<u64, PeerError> {
        let put = self.end.look()?;
        let (ring, before) = (&self.end.ring, self.end.peer_position);
        let filled = ring.filled_after_putting(before, put, self.end.position)?;
        self.end.peer_position = put;
        Ok(filled)
    }
}

/// The reason why no record was returned.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum PopError {
    /// The record is not a value of the type. The record is removed from the queue, so the next
    /// call returns the next record.
    Invalid,
    /// The producer was restarted or its memory is invalid.
    Peer(PeerError),
}

impl From<PeerError> for PopError {
    fn from(error: PeerError) -> Self {
        Self::Peer(error)
    }
}

impl From<Invalid> for PopError {
    fn from(_: Invalid) -> Self {
        Self::Invalid
    }
}

impl fmt::Display for PopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid => Invalid.fmt(f),
            Self::Peer(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for PopError {}
