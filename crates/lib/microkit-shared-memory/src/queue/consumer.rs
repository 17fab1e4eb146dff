//! The end of a queue of records that takes.

use core::fmt;
use core::marker::PhantomData;
use core::sync::atomic::Ordering;

use super::end::{self, End};
use super::{PeerError, capacity};
use crate::value::{self, Invalid, Plain, words_of};
use crate::{Memory, TooSmall, WritableMemory};

/// The end of a queue that takes records out of it. The other end is a
/// [`Producer`](crate::Producer).
///
/// It writes to its own memory `M`, and only reads the producer's memory `N`, which holds the
/// records.
///
/// The page of the crate has an example.
#[derive(Debug)]
pub struct Consumer<T, M, N> {
    end: End<M, N>,
    records: PhantomData<fn() -> T>,
}

impl<T: Plain, M: WritableMemory, N: Memory> Consumer<T, M, N> {
    /// Opens this end: a new incarnation of it, with an empty queue. `own` is its memory, of at
    /// least [`CONSUMER_WORDS`](crate::CONSUMER_WORDS) words. There must be no other consumer.
    ///
    /// After this call, [`must_notify`](Self::must_notify) returns true.
    ///
    /// **Rights:** a `<map>` with `w` for `own`, one for `producer`.
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

    /// Returns the number of records that the queue can hold.
    pub fn capacity(&self) -> usize {
        self.end.ring.capacity() as usize
    }

    /// Returns the epoch of this end: another number in each incarnation. It repeats after 16
    /// million.
    pub const fn epoch(&self) -> u32 {
        self.end.epoch()
    }

    /// Returns the number of records that there are to take.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns a [`PeerError`] if something is wrong with the producer.
    pub fn filled(&mut self) -> Result<usize, PeerError> {
        self.end.wake();
        self.look().map(|filled| filled as usize)
    }

    /// Takes the oldest record, if there is one.
    ///
    /// The record is taken by this call. A consumer that is restarted before it has handled the
    /// record does not get it again.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`PopError::Invalid`] if the record is not a `T`; it is taken all the same.
    /// Otherwise returns what is wrong with the producer.
    pub fn pop(&mut self) -> Result<Option<T>, PopError> {
        self.end.wake();
        if self.look()? == 0 {
            return Ok(None);
        }
        let slot = end::WORDS + self.end.slot() * words_of::<T>();
        let record = value::load(&self.end.peer, slot, Ordering::Relaxed);
        // A producer that was restarted meanwhile may have put another record there. If any word of
        // it was read, the next look sees the new epoch.
        self.end.peer.fence(Ordering::Acquire);
        self.end.look()?;
        self.end.advance();
        Ok(Some(record?))
    }

    /// Returns whether the producer must be notified: it waits for room and was not notified since,
    /// or it does not know of this incarnation. Call it after taking all records that there are.
    ///
    /// **Blocking:** never.
    #[must_use = "a producer that sleeps and is not notified sleeps forever"]
    pub fn must_notify(&mut self) -> bool {
        self.end.must_notify()
    }

    /// Returns whether the producer no longer acts on an earlier incarnation of this end.
    ///
    /// **Blocking:** never.
    pub fn is_settled(&self) -> bool {
        self.end.is_settled()
    }

    /// Announces that this end will wait for a record, and looks once more. Returns whether it may
    /// wait for a notification. If it returns false, there is a record, and the producer need not
    /// notify.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns a [`PeerError`] if something is wrong with the producer. Then this end must not
    /// wait.
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

/// Why no record was returned.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum PopError {
    /// The record is not a value of the type. It was taken: the next call returns the next record.
    Invalid,
    /// Something is wrong with the producer.
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
