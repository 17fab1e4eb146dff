//! What both ends of a queue do: meet the peer's incarnations, agree on an empty queue after a restart,
//! and sleep.
//!
//! Each end writes to its own memory and only reads the peer's. The first words of both are the
//! constants below.
//!
//! Sleeping is a handshake of two fences. An end announces sleep, fences, and looks at the queue once
//! more; the peer moves its position, fences, and looks for an announcement. One of the two sees the
//! other. The announcement is a counter, so the peer can answer each one once without writing to the
//! sleeper's memory.

use core::sync::atomic::Ordering;

use super::PeerError;
use super::place::Place;
use crate::memory::WORDS_PER_LINE;
use crate::ring::{Doubled, Ring};
use crate::{Memory, WritableMemory};

/// The epoch and position of the end: a [`Place`].
const PLACE: usize = 0;
/// Twice the number of times that the end has announced sleep, plus one while it may be asleep.
const SLEEP: usize = 1;
/// The bytes of a record, and the capacity, with which the end was opened.
const SHAPE: usize = 2;
/// A cache line: nothing else is written there.
pub(super) const WORDS: usize = WORDS_PER_LINE;

#[derive(Debug)]
pub(super) struct End<M, N> {
    pub(super) own: M,
    pub(super) peer: N,
    /// Positions go to twice the capacity, so that they fit into a [`Place`].
    pub(super) ring: Ring<Doubled>,
    shape: u64,
    epoch: u32,
    /// The epoch of the peer that this end has met; 0 if none.
    peer_epoch: u32,
    /// The number of records that this end has put or taken.
    pub(super) position: u64,
    /// Whether the peer was seen to have met this incarnation, or need not meet it.
    has_met: bool,
    /// The last position of the peer that was seen.
    pub(super) peer_position: u64,
    is_other_shape: bool,
    /// The value of `SLEEP` in memory.
    sleep: u64,
    /// The announcement of the peer for which it was last notified.
    answered: u64,
    /// Whether the peer must still be notified of this incarnation, or that this end has met a new
    /// one of the peer.
    is_news: bool,
}

impl<M: WritableMemory, N: Memory> End<M, N> {
    /// Begins a new incarnation of this end. Both memories have [`WORDS`] and room for `capacity`
    /// records of `record_bytes`.
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

    /// Returns the peer's position towards this incarnation, in records.
    ///
    /// # Errors
    ///
    /// Returns [`PeerError::Restarted`] once for a new incarnation of the peer, and the other
    /// errors if the peer's memory says so.
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
        // The peer has met this incarnation, or none and this is the first: what a producer puts
        // before the consumer's first incarnation counts.
        let has_met = seen.peer == self.epoch || (seen.peer == 0 && self.epoch == 1);
        if !has_met {
            // It has not met this incarnation yet, so its position is 0.
            return if self.has_met {
                Err(PeerError::Broken)
            } else {
                Ok(0)
            };
        }
        self.has_met = true;
        Ok(self.ring.check(seen.position.into())?)
    }

    /// Whether the peer no longer acts on an earlier incarnation of this end: there was none, or
    /// the peer was never opened, or it has met this incarnation.
    pub(super) fn is_settled(&self) -> bool {
        let seen = place(&self.peer);
        self.epoch == 1 || seen.epoch == 0 || seen.peer == self.epoch
    }

    /// Meets a new incarnation of the peer.
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

    /// Moves the position one record further, and publishes it.
    pub(super) fn advance(&mut self) {
        self.position = self.ring.advance(self.position, 1);
        self.store_place();
    }

    /// Announces that this end will sleep. The caller must look at the queue once more before it
    /// does.
    pub(super) fn announce_sleep(&mut self) {
        self.sleep = (self.sleep & !1).wrapping_add(2) | 1;
        self.own.store(SLEEP, self.sleep, Ordering::Relaxed);
        // Either the peer sees the announcement, or this end sees what the peer did before.
        self.own.fence(Ordering::SeqCst);
    }

    /// Withdraws the announcement, if there is one.
    #[inline]
    pub(super) fn wake(&mut self) {
        if self.sleep & 1 == 1 {
            self.sleep &= !1;
            self.own.store(SLEEP, self.sleep, Ordering::Relaxed);
        }
    }

    /// Whether the peer must be notified: it sleeps, or does not know of this incarnation, and was
    /// not notified of that.
    pub(super) fn must_notify(&mut self) -> bool {
        self.own.fence(Ordering::SeqCst);
        let sleep = self.peer.load(SLEEP, Ordering::Relaxed);
        let sleeps = sleep & 1 == 1 && sleep != self.answered;
        if sleeps {
            self.answered = sleep;
        }
        sleeps | core::mem::take(&mut self.is_news)
    }

    /// Publishes a new epoch of this end, or which epoch of the peer it has met.
    fn publish(&self) {
        self.store_place();
        // Whoever sees a record of this incarnation also sees its epoch.
        self.own.fence(Ordering::Release);
    }

    fn store_place(&self) {
        let place = Place {
            epoch: self.epoch,
            peer: self.peer_epoch,
            // Less than twice the capacity, which `MAX_CAPACITY` bounds.
            position: self.position as u16,
        };
        // Release: whoever sees a producer's position sees its records. Whoever sees a consumer's
        // position may overwrite the records that it has read.
        self.own.store(PLACE, place.to_word(), Ordering::Release);
    }

    fn compare_shapes(&mut self) {
        self.is_other_shape =
            self.peer_epoch != 0 && self.peer.load(SHAPE, Ordering::Relaxed) != self.shape;
    }
}

/// Returns the place of an end.
fn place(memory: &impl Memory) -> Place {
    Place::from_word(memory.load(PLACE, Ordering::Acquire))
}
