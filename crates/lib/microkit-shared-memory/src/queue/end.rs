//! The code common to both ends of a queue: acknowledging new incarnations of the peer, agreeing on
//! an empty queue after a restart, and sleeping.
//!
//! Each end writes to its own memory and only reads the peer's memory. The constants below are word
//! indices in both memories.
//!
//! Sleeping is a handshake with two fences. An end announces that it will sleep, issues a fence,
//! and checks the queue once more. The peer advances its position, issues a fence, and checks for
//! an announcement. So at least one of the two ends sees the write of the other end. The
//! announcement is a counter. So the peer can answer each announcement once without writing to the
//! sleeper's memory.

use core::sync::atomic::Ordering;

use super::PeerError;
use super::place::Place;
use crate::memory::WORDS_PER_LINE;
use crate::ring::{Doubled, Ring};
use crate::{Memory, WritableMemory};

/// The index of the word with the epoch and position of the end: a [`Place`].
const PLACE: usize = 0;
/// The index of the sleep word. The word is twice the number of announcements, plus one while the
/// end may be asleep.
const SLEEP: usize = 1;
/// The index of the word with the record size in bytes and the capacity of the opened queue.
const SHAPE: usize = 2;
/// The size of the header in words. The header fills a cache line, so records are in other lines.
pub(super) const WORDS: usize = WORDS_PER_LINE;

#[derive(Debug)]
pub(super) struct End<M, N> {
    pub(super) own: M,
    pub(super) peer: N,
    /// Positions are modulo twice the capacity, so that they fit into a [`Place`].
    pub(super) ring: Ring<Doubled>,
    shape: u64,
    epoch: u32,
    /// The last peer epoch that this end has acknowledged; 0 before the first.
    peer_epoch: u32,
    /// The number of records that this end has put or taken.
    pub(super) position: u64,
    /// Whether the peer has acknowledged this incarnation, or does not need to.
    has_met: bool,
    /// The last peer position that this end has read.
    pub(super) peer_position: u64,
    is_other_shape: bool,
    /// The value of the sleep word in this end's memory.
    sleep: u64,
    /// The last sleep word of the peer that this end has answered with a notification.
    answered: u64,
    /// Whether the peer must still be notified of this incarnation, or of the acknowledgement of a
    /// new peer incarnation.
    is_news: bool,
}

impl<M: WritableMemory, N: Memory> End<M, N> {
    /// Opens a new incarnation of this end. Both memories have at least [`WORDS`] words, and the
    /// producer's memory also has room for `capacity` records of `record_bytes` bytes.
    pub(super) fn open(own: M, peer: N, record_bytes: usize, capacity: u16) -> Self {
        let epoch = Place::from_word(own.load(PLACE, Ordering::Relaxed)).next_epoch();
        let sleep = own.load(SLEEP, Ordering::Relaxed) & !1;
        let mut end = Self {
            peer_epoch: place(&peer).epoch,
            own,
            peer,
            ring: Ring::new(capacity.into()),
            shape: (record_bytes as u64) << 32 | u64::from(capacity),
            epoch,
            position: 0,
            has_met: false,
            peer_position: 0,
            is_other_shape: false,
            sleep,
            answered: 0,
            is_news: true,
        };
        end.own.store(SLEEP, sleep, Ordering::Relaxed);
        end.own.store(SHAPE, end.shape, Ordering::Relaxed);
        end.publish();
        end.compare_shapes();
        end
    }

    /// Returns the peer's position for this incarnation, in records.
    ///
    /// # Errors
    ///
    /// Returns [`PeerError::Restarted`] once for each new incarnation of the peer. Returns
    /// [`PeerError::OtherShape`] or [`PeerError::Broken`] if the peer's memory has another shape or
    /// is invalid.
    pub(super) fn look(&mut self) -> Result<u64, PeerError> {
        let seen = place(&self.peer);
        if seen.epoch != self.peer_epoch {
            self.meet(seen)?;
        }
        if self.is_other_shape {
            return Err(PeerError::OtherShape);
        }
        if seen.epoch == 0 {
            return Ok(0);
        }
        // Either the peer has acknowledged this incarnation, or this is the first incarnation and
        // the peer has not acknowledged any. In the second case, records that a producer puts
        // before the consumer's first incarnation are valid.
        let has_met = seen.peer == self.epoch || (seen.peer == 0 && self.epoch == 1);
        if !has_met {
            // Until the peer acknowledges this incarnation, the peer's position counts as 0.
            return if self.has_met {
                Err(PeerError::Broken)
            } else {
                Ok(0)
            };
        }
        self.has_met = true;
        Ok(self.ring.check(seen.position.into())?)
    }

    /// Returns whether the peer can no longer act on an earlier incarnation of this end: no earlier
    /// incarnation exists, the peer was never opened, or the peer has acknowledged this
    /// incarnation.
    pub(super) fn is_settled(&self) -> bool {
        let seen = place(&self.peer);
        self.epoch == 1 || seen.epoch == 0 || seen.peer == self.epoch
    }

    /// Acknowledges a new incarnation of the peer.
    #[cold]
    fn meet(&mut self, seen: Place) -> Result<(), PeerError> {
        if seen.epoch == 0 {
            return Err(PeerError::Broken);
        }
        let is_first = self.peer_epoch == 0 && seen.epoch == 1;
        let is_restart = !is_first && (self.peer_epoch != 0 || self.position != 0);
        if !is_first {
            self.position = 0;
        }
        self.peer_epoch = seen.epoch;
        self.has_met = false;
        self.peer_position = 0;
        self.publish();
        self.compare_shapes();
        if is_restart {
            self.is_news = true;
            Err(PeerError::Restarted)
        } else {
            Ok(())
        }
    }

    pub(super) const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Returns the slot of the next record.
    pub(super) fn slot(&self) -> usize {
        self.ring.slot(self.position)
    }

    /// Advances the position by one record, and publishes the new position.
    pub(super) fn advance(&mut self) {
        self.position = self.ring.advance(self.position, 1);
        self.store_place();
    }

    /// Announces that this end will sleep. The caller must check the queue once more before it
    /// sleeps.
    pub(super) fn announce_sleep(&mut self) {
        self.sleep = (self.sleep & !1).wrapping_add(2) | 1;
        self.own.store(SLEEP, self.sleep, Ordering::Relaxed);
        // After this fence, either the peer sees the announcement, or this end sees the peer's
        // earlier writes.
        self.own.fence(Ordering::SeqCst);
    }

    /// Withdraws a pending announcement of sleep.
    #[inline]
    pub(super) fn wake(&mut self) {
        if self.sleep & 1 == 1 {
            self.sleep &= !1;
            self.own.store(SLEEP, self.sleep, Ordering::Relaxed);
        }
    }

    /// Returns whether to notify the peer. The result is true if the peer sleeps and was not
    /// notified yet. The result is also true if the peer must still be notified of a restart.
    pub(super) fn must_notify(&mut self) -> bool {
        self.own.fence(Ordering::SeqCst);
        let sleep = self.peer.load(SLEEP, Ordering::Relaxed);
        let sleeps = sleep & 1 == 1 && sleep != self.answered;
        if sleeps {
            self.answered = sleep;
        }
        sleeps | core::mem::take(&mut self.is_news)
    }

    /// Publishes the epoch of this end, and the acknowledged epoch of the peer.
    fn publish(&self) {
        self.store_place();
        // A peer that reads a record of this incarnation also sees this epoch.
        self.own.fence(Ordering::Release);
    }

    fn store_place(&self) {
        let place = Place {
            epoch: self.epoch,
            peer: self.peer_epoch,
            // The cast is lossless: the position is less than twice the capacity, and the capacity
            // is at most `MAX_CAPACITY`.
            position: self.position as u16,
        };
        // Release: a consumer that sees the producer's position also sees the records. A producer
        // that sees the consumer's position may overwrite the records, because the consumer has
        // read the records.
        self.own.store(PLACE, place.to_word(), Ordering::Release);
    }

    fn compare_shapes(&mut self) {
        self.is_other_shape =
            self.peer_epoch != 0 && self.peer.load(SHAPE, Ordering::Relaxed) != self.shape;
    }
}

/// Reads the published place of an end.
fn place(memory: &impl Memory) -> Place {
    Place::from_word(memory.load(PLACE, Ordering::Acquire))
}
