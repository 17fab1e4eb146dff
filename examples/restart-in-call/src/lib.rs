//! The protocol of a chain of servers: `client` calls `front`, which calls `back`.
#![no_std]
#![forbid(unsafe_code)]

use microkit_protocol::{CallError, Refusal, protocol};
use sel4_microkit::Channel;
use zerocopy::{Immutable, IntoBytes, TryFromBytes};

/// Divides numbers.
#[protocol]
pub trait Division {
    /// Divides. Both servers panic where a careful one would return an error: `front` at a dividend
    /// above [`LARGEST`], and `back` at a divisor of 0.
    fn divide(&mut self, dividend: u64, divisor: u64) -> Result<u64, BackRestarted>;
}

/// The largest dividend that `front` takes.
pub const LARGEST: u64 = 1000;

/// `front` called `back`, which was restarted before it replied.
#[derive(Debug, Copy, Clone, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct BackRestarted;

/// Connects to `server`. If the server is restarted meanwhile, the call is made again: it has no
/// effect, so it does not matter whether it was executed.
pub fn connect(server: Channel) -> DivisionClient {
    loop {
        match DivisionClient::connect(server) {
            Err(CallError::Refused(Refusal::Restarted)) => {}
            connected => return connected.expect("all are of one version"),
        }
    }
}
