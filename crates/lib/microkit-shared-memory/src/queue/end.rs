//! What both ends of a queue do alike: they see each other's incarnations, agree on an empty queue
//! after a restart, and sleep.
//!
//! Each end writes in memory of its own and reads the other's. Its first words are, in this order,
//! those below.

use core::sync::atomic::Ordering;

use super::PeerError;
use super::place::Place;
use crate::memory::WORDS_PER_LINE;
use crate::ring::{Doubled, Ring};
use crate::{Memory, WritableMemory};

/// Where the end stands: a [`Place`].
const PLACE: usize = 0;
/// Twice how often the end has announced that it will sleep, and one more while it may be asleep.
const SLEEP: usize = 1;
/// What the end takes the queue for: the bytes of a record, and the capacity.
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
    /// The incarnation of the other end that this one deals with; 0 if there was none yet.
    peer_epoch: u32,
    /// How far this end has come.
    pub(super) position: u64,
    /// Whether the other end was seen to deal with this incarnation, or need not have.
    has_met: bool,
    /// How far the other end had come when it was last looked at.
    pub(super) peer_position: u64,
    is_other_shape: bool,
    /// What stands in `SLEEP`.
    sleep: u64,
    /// For which announcement of the other end it was last notified.
    answered: u64,
    /// Whether the other end is still to be notified that this one has a new incarnation, or has
    /// seen that the other has.
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

    /// Where the other end stands in what the two have to do with each other, in records.
    ///
    /// **Errors:** the other end has a new incarnation, which is told once; it takes the queue for
    /// another.
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
        // It deals with this incarnation; or it waits for the first incarnation of this end,
        // whatever comes.
        let has_met = seen.peer == self.epoch || (seen.peer == 0 && self.epoch == 1);
        if !has_met {
            // It has not seen this incarnation yet, and so is at the beginning.
            return if self.has_met {
                Err(PeerError::Broken)
            } else {
                Ok(0)
            };
        }
        self.has_met = true;
        Ok(self.ring.check(seen.position.into())?)
    }

    /// Whether the other end can have nothing to do with an earlier incarnation of this one: there
    /// was none, or it was never opened, or deals with this incarnation.
    pub(super) fn is_settled(&self) -> bool {
        let seen = place(&self.peer);
        self.epoch == 1 || seen.epoch == 0 || seen.peer == self.epoch
    }

    /// Deals with another incarnation of the other end from now on.
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

    /// The slot of the record that is put or taken next.
    pub(super) fn slot(&self) -> usize {
        self.ring.slot(self.position)
    }

    /// One record further.
    pub(super) fn advance(&mut self) {
        self.position = self.ring.advance(self.position, 1);
        self.store_place();
    }

    /// Announces that this end will sleep. Whether it may is to be looked at after this.
    pub(super) fn announce_sleep(&mut self) {
        self.sleep = (self.sleep & !1).wrapping_add(2) | 1;
        self.own.store(SLEEP, self.sleep, Ordering::Relaxed);
        // Either the other end sees this, or this end sees what the other has done before it
        // looked.
        self.own.fence(Ordering::SeqCst);
    }

    /// Takes back what was announced, if it was.
    #[inline]
    pub(super) fn wake(&mut self) {
        if self.sleep & 1 == 1 {
            self.sleep &= !1;
            self.own.store(SLEEP, self.sleep, Ordering::Relaxed);
        }
    }

    /// Whether the other end sleeps, or does not know of this incarnation, and was not notified of
    /// it.
    pub(super) fn must_notify(&mut self) -> bool {
        self.own.fence(Ordering::SeqCst);
        let sleep = self.peer.load(SLEEP, Ordering::Relaxed);
        let sleeps = sleep & 1 == 1 && sleep != self.answered;
        if sleeps {
            self.answered = sleep;
        }
        sleeps | core::mem::take(&mut self.is_news)
    }

    /// Tells an incarnation, or another end that this one deals with.
    fn publish(&self) {
        self.store_place();
        // Who sees a record of this incarnation sees the incarnation.
        self.own.fence(Ordering::Release);
    }

    fn store_place(&self) {
        let place = Place {
            epoch: self.epoch,
            peer: self.peer_epoch,
            // Less than twice the capacity, which `MAX_CAPACITY` bounds.
            position: self.position as u16,
        };
        // Who sees this sees the records that were put; and has the room of those that were taken.
        self.own.store(PLACE, place.to_word(), Ordering::Release);
    }

    fn compare_shapes(&mut self) {
        self.is_other_shape =
            self.peer_epoch != 0 && self.peer.load(SHAPE, Ordering::Relaxed) != self.shape;
    }
}

/// Where an end stands.
fn place(memory: &impl Memory) -> Place {
    Place::from_word(memory.load(PLACE, Ordering::Acquire))
}
