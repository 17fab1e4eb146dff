//! The protocol between `ping-typed` and `pong-typed`.
#![no_std]
#![forbid(unsafe_code)]

use heapless::{String, Vec};
use microkit_protocol::protocol;
use zerocopy::{Immutable, IntoBytes, TryFromBytes};

/// A counter in another PD.
#[protocol]
pub trait Counter {
    /// Adds to the counter and returns the new value.
    ///
    /// # Errors
    ///
    /// The counter would be above the largest value.
    fn add(&mut self, amount: u64) -> Result<u64, Overflow>;

    /// Sets the direction in which the counter counts, and returns the previous direction.
    fn turn(&mut self, direction: Direction) -> Direction;

    /// Gives the counter a name.
    fn rename(&mut self, name: String<24>);

    /// Returns the name of the counter.
    fn name(&self) -> String<24>;

    /// Returns the last values of the counter. The newest value is the last.
    fn history(&self) -> Vec<u64, HISTORY>;
}

/// The number of values in the history of a counter.
pub const HISTORY: usize = 8;

/// The result would not fit. The counter is unchanged.
#[derive(Debug, Copy, Clone, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Overflow {
    /// The largest amount that can be added.
    pub room: u64,
}

/// The direction in which a counter counts.
#[derive(Debug, Copy, Clone, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(u8)]
pub enum Direction {
    /// `add` adds.
    Up = 1,
    /// `add` subtracts.
    Down = 2,
}
