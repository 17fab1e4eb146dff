//! The protocol between `ping-typed` and `pong-typed`.
#![no_std]
#![forbid(unsafe_code)]

use heapless::{String, Vec};
use microkit_protocol::protocol;
use zerocopy::{Immutable, IntoBytes, TryFromBytes};

/// A counter that somebody else keeps.
#[protocol]
pub trait Counter {
    /// Adds to the counter, and returns what it is then.
    fn add(&mut self, amount: u64) -> Result<u64, Overflow>;

    /// From now on counts up or down; returns how it was.
    fn turn(&mut self, direction: Direction) -> Direction;

    /// Gives the counter a name.
    fn rename(&mut self, name: String<24>);

    /// Its name.
    fn name(&self) -> String<24>;

    /// The last values that it had, the newest last.
    fn history(&self) -> Vec<u64, HISTORY>;
}

/// How many values a counter remembers.
pub const HISTORY: usize = 8;

/// The counter is as it was: there is room for so much only.
#[derive(Debug, Copy, Clone, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Overflow {
    /// The most that can be added.
    pub room: u64,
}

/// Which way a counter counts.
#[derive(Debug, Copy, Clone, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(u8)]
pub enum Direction {
    /// What is added is added.
    Up = 1,
    /// What is added is taken away.
    Down = 2,
}
