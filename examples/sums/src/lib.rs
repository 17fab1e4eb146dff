//! The protocol of a server that keeps sums. Each session is a sum of one client.
#![no_std]
#![forbid(unsafe_code)]

use microkit_protocol::protocol;
use microkit_sessions::{SessionError, SessionId};

/// Sums in another PD.
#[protocol]
pub trait Sums {
    /// Opens a sum, which begins at 0.
    ///
    /// # Errors
    ///
    /// The client has [`SUMS_PER_CLIENT`] open sums.
    fn open(&mut self) -> Result<SessionId, SessionError<()>>;

    /// Adds to a sum and returns the result.
    ///
    /// # Errors
    ///
    /// The sum is not an open sum of the caller.
    fn add(&mut self, sum: SessionId, amount: u64) -> Result<u64, SessionError<()>>;
}

/// The quota: the largest number of open sums of a client.
pub const SUMS_PER_CLIENT: usize = 2;
