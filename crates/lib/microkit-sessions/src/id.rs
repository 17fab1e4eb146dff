//! Which session.

use zerocopy::{Immutable, IntoBytes, TryFromBytes};

/// Which session of a server: a number that the server gives once and never again, in none of its
/// lives. It travels in the messages of a protocol.
///
/// It is not the session: whoever has the number and is not the client that has opened the session
/// is refused, and what is closed stays closed.
#[derive(Debug, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(transparent)]
pub struct SessionId {
    serial: u64,
}

impl SessionId {
    pub(crate) const fn new(serial: u64) -> Self {
        Self { serial }
    }

    pub(crate) const fn serial(&self) -> u64 {
        self.serial
    }
}
