//! Index arithmetic of rings, for two ends that do not trust each other.
//!
//! A ring is an array of slots and two positions. The producer's position counts the records put,
//! and the consumer's position counts the records taken:
//!
//! ```text
//!                  taken               put
//!          ┌────┬────┬────┬────┬────┬────┬────┬────┐
//!    slots │    │    │ ██ │ ██ │ ██ │    │    │    │     filled = put - taken
//!          └────┴────┴────┴────┴────┴────┴────┴────┘     slot   = position % capacity
//! ```
//!
//! A [`Ring`] does not access memory. Its users must follow two rules:
//!
//! - **Own position.** An end keeps its position in private memory and only publishes copies. An
//!   end never reads a copy back, because the peer may have overwritten the copy. So only the
//!   *peer's* position can be wrong. [`Ring::filled`] rejects positions that are more than the
//!   capacity apart. Slots are computed only from the private position.
//! - **Order.** An end publishes its position after its accesses to the slots, with release
//!   ordering. An end reads the peer's position before its accesses, with acquire ordering. So a
//!   consumer sees the records put, and a producer never overwrites a record that the consumer is
//!   still reading.
//!
//! The layout in shared memory determines how positions wrap. Each of the three kinds of wrap is a
//! type. So a [`Ring`] stores only its capacity, and does not branch on the kind at run time:
//!
//! | | positions | capacity | for |
//! | --- | --- | --- | --- |
//! | [`Counted`] | 64 bits that never wrap | any | [`ByteProducer`](crate::ByteProducer), [`ByteConsumer`](crate::ByteConsumer) |
//! | [`Doubled`] | modulo twice the capacity | any | [`Producer`](crate::Producer), [`Consumer`](crate::Consumer), with 16 bits for a position |
//! | [`FreeRunning`] | modulo 2 to the power of `BITS` | powers of two | foreign layouts, such as sDDF's queues with 16 and 32 bits |
//!
//! ```
//! use microkit_shared_memory::Broken;
//! use microkit_shared_memory::ring::{FreeRunning, Ring};
//!
//! let ring: Ring<FreeRunning<16>> = Ring::new(8);
//! let taken = 0xffff;
//! let put = ring.advance(taken, 3);
//! assert_eq!(put, 2);
//! assert_eq!(ring.filled(put, taken), Ok(3));
//! assert_eq!(ring.split(taken, 3), [7..8, 0..2]);
//! // No 9 records fit into 8 slots: the peer's position is a lie.
//! assert_eq!(ring.filled(ring.advance(taken, 9), taken), Err(Broken));
//! ```

use core::fmt;
use core::marker::PhantomData;
use core::ops::Range;

/// The number of slots of a ring, and the arithmetic of its positions.
#[derive(Debug)]
pub struct Ring<W> {
    capacity: u64,
    wrap: PhantomData<W>,
}

/// The kind of wrap of a ring's positions: [`Counted`], [`Doubled`] or [`FreeRunning`].
pub trait Wrap: sealed::Wrap {}

/// Positions with 64 bits that never wrap. At one record per nanosecond, the positions last for
/// five centuries.
///
/// A producer's position that is behind the consumer's position is always detected.
#[derive(Debug)]
pub enum Counted {}

/// Positions modulo twice the capacity, so that a full ring differs from an empty ring.
#[derive(Debug)]
pub enum Doubled {}

/// Positions modulo 2 to the power of `BITS`. The capacity is a smaller power of two.
///
/// `BITS` is at most 63.
#[derive(Debug)]
pub enum FreeRunning<const BITS: u32> {}

impl<W: Wrap> Ring<W> {
    /// Creates the arithmetic of a ring with `capacity` slots.
    ///
    /// # Panics
    ///
    /// Panics if `capacity` is 0 or not supported by `W`.
    #[track_caller]
    pub fn new(capacity: u64) -> Self {
        assert!(
            capacity > 0 && W::is_capacity(capacity),
            "a ring of this kind cannot have {capacity} slots"
        );
        Self {
            capacity,
            wrap: PhantomData,
        }
    }

    /// Returns the number of slots.
    #[inline]
    pub const fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Checks a position that the peer has published.
    ///
    /// # Errors
    ///
    /// Returns [`Broken`] if the position is not in the range of positions of this ring.
    #[inline]
    pub fn check(&self, position: u64) -> Result<u64, Broken> {
        if W::contains(self.capacity, position) {
            Ok(position)
        } else {
            Err(Broken)
        }
    }

    /// Returns the number of records put and not yet taken. The number is at most the capacity.
    ///
    /// Both positions must have passed [`check`](Self::check), or be results of
    /// [`advance`](Self::advance).
    ///
    /// # Errors
    ///
    /// Returns [`Broken`] if the positions are more than the capacity apart.
    #[inline]
    pub fn filled(&self, put: u64, taken: u64) -> Result<u64, Broken> {
        match W::distance(self.capacity, taken, put) {
            Some(filled) if filled <= self.capacity => Ok(filled),
            _ => Err(Broken),
        }
    }

    /// Returns the same as [`filled`](Self::filled) for a producer, and checks that the consumer
    /// has not gone back. `taken_before` is the consumer's position that the producer has read
    /// before.
    ///
    /// # Errors
    ///
    /// Also returns [`Broken`] if the consumer has gone back by less than the capacity. A larger
    /// step back can look like a step forward.
    #[inline]
    pub fn filled_after_taking(
        &self,
        put: u64,
        taken_before: u64,
        taken: u64,
    ) -> Result<u64, Broken> {
        let filled = self.filled(put, taken)?;
        if filled > self.filled(put, taken_before)? {
            return Err(Broken);
        }
        Ok(filled)
    }

    /// Returns the same as [`filled`](Self::filled) for a consumer, and checks that the producer
    /// has not gone back. `put_before` is the producer's position that the consumer has read
    /// before.
    ///
    /// # Errors
    ///
    /// Also returns [`Broken`] if the producer has gone back by less than the capacity.
    #[inline]
    pub fn filled_after_putting(
        &self,
        put_before: u64,
        put: u64,
        taken: u64,
    ) -> Result<u64, Broken> {
        let filled = self.filled(put, taken)?;
        if filled < self.filled(put_before, taken)? {
            return Err(Broken);
        }
        Ok(filled)
    }

    /// Returns the position `count` records after `position`.
    #[inline]
    pub fn advance(&self, position: u64, count: u64) -> u64 {
        W::advance(self.capacity, position, count)
    }

    /// Returns the slot of the record at a position. The slot is less than the capacity for any
    /// position.
    #[inline]
    pub fn slot(&self, position: u64) -> usize {
        // The cast is lossless: `usize` has 64 bits on the target, and on a host a slot is an index
        // into a slice.
        (position % self.capacity) as usize
    }

    /// Returns the slots of `count` records, starting at a position. The second range is empty
    /// unless the records wrap to slot 0.
    ///
    /// `count` must not exceed the capacity.
    #[inline]
    pub fn split(&self, position: u64, count: usize) -> [Range<usize>; 2] {
        debug_assert!(count as u64 <= self.capacity);
        let first = self.slot(position);
        let until_end = self.capacity as usize - first;
        let now = count.min(until_end);
        [first..first + now, 0..count - now]
    }
}

/// The peer has written an impossible position: more records taken than put, or more records put
/// than fit.
///
/// The content of the queue is invalid after this error.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the other end of the queue has written an impossible position")
    }
}

impl core::error::Error for Broken {}

impl Wrap for Counted {}

impl sealed::Wrap for Counted {
    #[inline]
    fn is_capacity(_: u64) -> bool {
        true
    }

    #[inline]
    fn contains(_: u64, _: u64) -> bool {
        true
    }

    #[inline]
    fn distance(_: u64, from: u64, to: u64) -> Option<u64> {
        to.checked_sub(from)
    }

    #[inline]
    fn advance(_: u64, position: u64, count: u64) -> u64 {
        position + count
    }
}

impl Wrap for Doubled {}

impl sealed::Wrap for Doubled {
    #[inline]
    fn is_capacity(capacity: u64) -> bool {
        // With this bound, the sum of two positions does not overflow.
        capacity <= u64::MAX / 4
    }

    #[inline]
    fn contains(capacity: u64, position: u64) -> bool {
        position < 2 * capacity
    }

    #[inline]
    fn distance(capacity: u64, from: u64, to: u64) -> Option<u64> {
        // For a position that fails `contains`, the distance is wrong, but this function does not
        // panic.
        let distance = to.checked_sub(from);
        distance.or_else(|| Some(to.wrapping_add((2 * capacity).wrapping_sub(from))))
    }

    #[inline]
    fn advance(capacity: u64, position: u64, count: u64) -> u64 {
        (position + count) % (2 * capacity)
    }
}

impl<const BITS: u32> Wrap for FreeRunning<BITS> {}

impl<const BITS: u32> FreeRunning<BITS> {
    const MASK: u64 = {
        assert!(BITS < u64::BITS, "for positions of 64 bits use `Counted`");
        (1 << BITS) - 1
    };
}

impl<const BITS: u32> sealed::Wrap for FreeRunning<BITS> {
    #[inline]
    fn is_capacity(capacity: u64) -> bool {
        // A power of two divides the modulus, so slots stay consecutive when positions wrap. The
        // capacity is lower than the modulus, so a full ring differs from an empty ring.
        capacity.is_power_of_two() && capacity <= Self::MASK
    }

    #[inline]
    fn contains(_: u64, position: u64) -> bool {
        position <= Self::MASK
    }

    #[inline]
    fn distance(_: u64, from: u64, to: u64) -> Option<u64> {
        Some(to.wrapping_sub(from) & Self::MASK)
    }

    #[inline]
    fn advance(_: u64, position: u64, count: u64) -> u64 {
        position.wrapping_add(count) & Self::MASK
    }
}

mod sealed {
    /// The position arithmetic of a ring with `capacity` slots.
    pub trait Wrap {
        /// Returns whether a ring can have `capacity` slots. `capacity` is not 0.
        fn is_capacity(capacity: u64) -> bool;
        /// Returns whether the position is valid for this capacity.
        fn contains(capacity: u64, position: u64) -> bool;
        /// Returns the number of records from `from` to `to`, or `None` if `to` is earlier.
        fn distance(capacity: u64, from: u64, to: u64) -> Option<u64>;
        /// Returns the position `count` records later.
        fn advance(capacity: u64, position: u64, count: u64) -> u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks every state of a ring until its positions have wrapped three times. `modulus` is the
    /// number of positions of a ring that wraps.
    fn check_all_states<W: Wrap>(capacity: u64, modulus: Option<u64>) {
        let ring: Ring<W> = Ring::new(capacity);
        assert_eq!(ring.capacity(), capacity);
        let end = 3 * modulus.unwrap_or(2 * capacity);
        let position = |count: u64| count % modulus.unwrap_or(u64::MAX);
        for taken in 0..end {
            assert_eq!(ring.advance(position(taken), 1), position(taken + 1));
            for filled in 0..=capacity {
                let put = taken + filled;
                let at = [position(put), position(taken)];
                assert_eq!(ring.advance(at[1], filled), at[0]);
                assert!(at.iter().all(|at| ring.check(*at) == Ok(*at)));
                assert_eq!(ring.filled(at[0], at[1]), Ok(filled), "{put} {taken}");
                // No two records in the ring have the same slot.
                let mut used = 0_u64;
                let [first, second] = ring.split(at[1], filled as usize);
                for (record, slot) in (taken..put).zip(first.chain(second)) {
                    assert_eq!(slot, ring.slot(position(record)));
                    assert!(slot < capacity as usize && used & 1 << slot == 0);
                    used |= 1 << slot;
                }
                assert_eq!(u64::from(used.count_ones()), filled);
                check_next_states(&ring, position, [put, taken]);
            }
        }
    }

    /// Checks the peer's next positions. A step forward within the records or the room must be
    /// accepted. A step back must be detected.
    fn check_next_states<W: Wrap>(
        ring: &Ring<W>,
        position: impl Fn(u64) -> u64,
        [put, taken]: [u64; 2],
    ) {
        let capacity = ring.capacity();
        for later in taken..=put {
            let seen = ring.filled_after_taking(position(put), position(taken), position(later));
            assert_eq!(seen, Ok(put - later));
        }
        for later in put..=taken + capacity {
            let seen = ring.filled_after_putting(position(put), position(later), position(taken));
            assert_eq!(seen, Ok(later - taken));
        }
        for steps in 1..capacity {
            if let Some(earlier) = taken.checked_sub(steps) {
                let seen =
                    ring.filled_after_taking(position(put), position(taken), position(earlier));
                assert_eq!(seen, Err(Broken), "taken {taken}, then {earlier}");
            }
            if let Some(earlier) = put.checked_sub(steps) {
                let seen =
                    ring.filled_after_putting(position(put), position(earlier), position(taken));
                assert_eq!(seen, Err(Broken), "put {put}, then {earlier}");
            }
        }
    }

    /// Checks every position that a peer can claim. The ring accepts a pair of positions only if
    /// their distance is at most the capacity.
    fn check_all_claims<W: Wrap>(capacity: u64, modulus: Option<u64>) {
        let ring: Ring<W> = Ring::new(capacity);
        let positions = modulus.unwrap_or(4 * capacity);
        for put in 0..positions {
            for taken in 0..positions {
                let distance = match modulus {
                    Some(modulus) => Some((put + modulus - taken) % modulus),
                    None => put.checked_sub(taken),
                };
                let expected = distance.filter(|filled| *filled <= capacity).ok_or(Broken);
                assert_eq!(ring.filled(put, taken), expected, "{put} {taken}");
            }
        }
        if let Some(modulus) = modulus {
            for claim in [modulus, modulus + 1, u64::MAX] {
                assert_eq!(ring.check(claim), Err(Broken));
                // `filled` must not panic, even for a position that `check` refuses.
                let _ = (ring.filled(claim, 0), ring.filled(0, claim));
            }
        }
    }

    #[test]
    fn counted_positions_are_exact_in_every_state() {
        for capacity in 1..=6 {
            check_all_states::<Counted>(capacity, None);
            check_all_claims::<Counted>(capacity, None);
        }
    }

    #[test]
    fn doubled_positions_are_exact_in_every_state() {
        for capacity in 1..=6 {
            check_all_states::<Doubled>(capacity, Some(2 * capacity));
            check_all_claims::<Doubled>(capacity, Some(2 * capacity));
        }
    }

    #[test]
    fn free_running_positions_are_exact_in_every_state() {
        for capacity in [1, 2, 4, 8] {
            check_all_states::<FreeRunning<4>>(capacity, Some(16));
            check_all_claims::<FreeRunning<4>>(capacity, Some(16));
        }
    }

    #[test]
    fn a_counted_producer_is_never_behind_its_consumer() {
        let ring: Ring<Counted> = Ring::new(16);
        assert_eq!(ring.filled(8, u64::MAX), Err(Broken));
        assert_eq!(ring.filled(u64::MAX, u64::MAX - 16), Ok(16));
    }

    #[test]
    fn capacities_that_make_full_look_empty_are_refused() {
        use sealed::Wrap;
        assert!(Counted::is_capacity(u64::MAX) && Doubled::is_capacity(u64::MAX / 4));
        assert!(!Doubled::is_capacity(u64::MAX / 4 + 1));
        for (capacity, is_capacity) in [(1 << 15, true), (1 << 16, false), (3, false)] {
            assert_eq!(FreeRunning::<16>::is_capacity(capacity), is_capacity);
        }
    }

    #[test]
    #[should_panic(expected = "a ring of this kind cannot have 0 slots")]
    fn a_ring_has_a_slot() {
        Ring::<Counted>::new(0);
    }
}
