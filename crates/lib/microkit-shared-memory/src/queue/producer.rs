//! The end that puts.

use core::fmt;
use core::marker::PhantomData;
use core::sync::atomic::Ordering;

use super::end::{self, End};
use super::{PeerError, capacity};
use crate::value::{self, Plain, words_of};
use crate::{Memory, TooSmall, WritableMemory};

/// The end of a queue that puts records into it.
///
/// It writes to memory `M` of its own, and only reads that of the consumer, `N`.
#[derive(Debug)]
pub struct Producer<T, M, N> {
    end: End<M, N>,
    records: PhantomData<fn(T)>,
}

impl<T: Plain, M: WritableMemory, N: Memory> Producer<T, M, N> {
    /// Opens this end, whose memory is `own`: a new incarnation of it, with an empty queue. There
    /// is no other producer. Notify the consumer if [`must_notify`](Self::must_notify) says so,
    /// which it does after this.
    ///
    /// Nobody need be there yet: what is put before the consumer opens its end for the first time
    /// waits for it.
    ///
    /// **Errors:** a memory is too small for one record.
    pub fn open(own: M, consumer: N) -> Result<Self, TooSmall> {
        let capacity = capacity::<T>(&own, &consumer)?;
        Ok(Self {
            end: End::open(own, consumer, size_of::<T>(), capacity),
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

    /// For how many more records there is room.
    ///
    /// **Blocks:** never. **Errors:** as [`PeerError`] says.
    pub fn room(&mut self) -> Result<usize, PeerError> {
        self.end.wake();
        self.look().map(|room| room as usize)
    }

    /// Puts a record.
    ///
    /// **Blocks:** never. **Errors:** the queue is full, or what [`PeerError`] says; then nothing
    /// was put.
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

    /// Whether the consumer is to be notified: it sleeps and has not been notified since, or does
    /// not know that this end is new. To be asked after all is put that there was to put.
    ///
    /// **Blocks:** never.
    #[must_use = "a consumer that sleeps and is not notified sleeps for ever"]
    pub fn must_notify(&mut self) -> bool {
        self.end.must_notify()
    }

    /// Whether the other end has nothing to do with an earlier incarnation of this one any more.
    ///
    /// **Blocks:** never.
    pub fn is_settled(&self) -> bool {
        self.end.is_settled()
    }

    /// Announces that this end will wait for room, and looks once more: returns whether it may wait
    /// for a notification. If not, there is room, and the consumer need not notify.
    ///
    /// **Blocks:** never. **Errors:** as [`PeerError`] says; then it is not to wait.
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

/// Why a record was not put.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum PushError {
    /// There is no room.
    Full,
    /// The other end.
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
            Self::Full => f.write_str("the queue is full: wait until the other end has taken"),
            Self::Peer(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for PushError {}
