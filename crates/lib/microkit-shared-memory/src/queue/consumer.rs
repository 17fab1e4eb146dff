//! The end that takes.

use core::fmt;
use core::marker::PhantomData;
use core::sync::atomic::Ordering;

use super::end::{self, End};
use super::{PeerError, capacity};
use crate::value::{self, Invalid, Plain, words_of};
use crate::{Memory, TooSmall, WritableMemory};

/// The end of a queue that takes records out of it.
///
/// It writes to memory `M` of its own, and only reads that of the producer, `N`, where the records
/// are.
#[derive(Debug)]
pub struct Consumer<T, M, N> {
    end: End<M, N>,
    records: PhantomData<fn() -> T>,
}

impl<T: Plain, M: WritableMemory, N: Memory> Consumer<T, M, N> {
    /// Opens this end, whose memory is `own`: a new incarnation of it, with an empty queue. There
    /// is no other consumer. Notify the producer if [`must_notify`](Self::must_notify) says so,
    /// which it does after this.
    ///
    /// **Errors:** a memory is too small for one record.
    pub fn open(own: M, producer: N) -> Result<Self, TooSmall> {
        let capacity = capacity::<T>(&producer, &own)?;
        Ok(Self {
            end: End::open(own, producer, size_of::<T>(), capacity),
            records: PhantomData,
        })
    }

    /// How many records the queue holds when it is full.
    pub fn capacity(&self) -> usize {
        self.end.ring.capacity() as usize
    }

    /// Which incarnation of this end this is: another number in each. It repeats after 16 million.
    pub const fn epoch(&self) -> u32 {
        self.end.epoch()
    }

    /// How many records there are to take.
    ///
    /// **Blocks:** never. **Errors:** as [`PeerError`] says.
    pub fn filled(&mut self) -> Result<usize, PeerError> {
        self.end.wake();
        self.look().map(|filled| filled as usize)
    }

    /// Takes the oldest record, if there is one. It is taken by this: whoever dies before it is
    /// dealt with does not see it again.
    ///
    /// **Blocks:** never. **Errors:** it is no `T`, and is taken all the same; or what
    /// [`PeerError`] says.
    pub fn pop(&mut self) -> Result<Option<T>, PopError> {
        self.end.wake();
        if self.look()? == 0 {
            return Ok(None);
        }
        let slot = end::WORDS + self.end.slot() * words_of::<T>();
        let record = value::load(&self.end.peer, slot, Ordering::Relaxed);
        // A producer that was started anew meanwhile may have put another there. If any word of
        // that was read, its incarnation is seen next.
        self.end.peer.fence(Ordering::Acquire);
        self.end.look()?;
        self.end.advance();
        Ok(Some(record?))
    }

    /// Whether the producer is to be notified: it waits for room and has not been notified since,
    /// or does not know that this end is new. To be asked after all is taken that there was to
    /// take.
    ///
    /// **Blocks:** never.
    #[must_use = "a producer that sleeps and is not notified sleeps for ever"]
    pub fn must_notify(&mut self) -> bool {
        self.end.must_notify()
    }

    /// Whether the other end has nothing to do with an earlier incarnation of this one any more.
    ///
    /// **Blocks:** never.
    pub fn is_settled(&self) -> bool {
        self.end.is_settled()
    }

    /// Announces that this end will wait for a record, and looks once more: returns whether it may
    /// wait for a notification. If not, there is a record, and the producer need not notify.
    ///
    /// **Blocks:** never. **Errors:** as [`PeerError`] says; then it is not to wait.
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
    /// The record is no value of the type. It was taken: the next call returns the next.
    Invalid,
    /// The other end.
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
