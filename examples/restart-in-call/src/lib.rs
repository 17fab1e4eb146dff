//! The protocol of a chain of servers: `client` calls `front`, which calls `back`.
#![no_std]
#![forbid(unsafe_code)]

use microkit_protocol::{CallError, Refusal, protocol};
use sel4_microkit::Channel;
use zerocopy::{Immutable, IntoBytes, TryFromBytes};

/// Divides numbers.
#[protocol]
pub trait Division {
    /// Divides. Both servers panic where a careful server would return an error: `front` if the
    /// dividend is above [`LARGEST`], and `back` if the divisor is 0.
    ///
    /// # Errors
    ///
    /// The server behind `front` was restarted in the call.
    fn divide(&mut self, dividend: u64, divisor: u64) -> Result<u64, BackRestarted>;
}

/// The largest dividend that `front` takes.
pub const LARGEST: u64 = 1000;

/// `back` was restarted before it replied to a call from `front`.
#[derive(Debug, Copy, Clone, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct BackRestarted;

/// Connects to `server`. If the server is restarted during a call, the client repeats the call. A
/// repeated division has no side effects.
///
/// # Panics
///
/// The server was built with another version of the protocol.
pub fn connect(server: Channel) -> DivisionClient {
    loop {
        match DivisionClient::connect(server) {
            Err(CallError::Refused(Refusal::Restarted)) => {}
            connected => return connected.expect("all were built with the same protocol"),
        }
    }
}
