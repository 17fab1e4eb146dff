//! The protocol between the driver of the clock and its client.
#![no_std]
#![forbid(unsafe_code)]

use microkit_protocol::protocol;

/// A clock that counts seconds.
#[protocol]
pub trait Clock {
    /// Returns the time in seconds.
    fn now(&mut self) -> u32;

    /// Sets the alarm, and replaces an earlier alarm. The driver notifies the client once, after
    /// this number of seconds.
    fn set_alarm(&mut self, after_s: u32);
}
