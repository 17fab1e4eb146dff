//! The identifier of a session.

use zerocopy::{Immutable, IntoBytes, TryFromBytes};

/// The identifier of a session, for the messages of a protocol.
///
/// A server never uses the same identifier twice, over all its incarnations. Only the client that
/// opened the session can use the identifier. The server refuses the identifier from other clients,
/// and after the session is closed.
///
/// ```
/// use microkit_protocol::protocol;
/// use microkit_sessions::{SessionError, SessionId};
///
/// #[protocol]
/// trait Files {
///     fn open(&mut self, name: u64) -> Result<SessionId, SessionError<()>>;
///     fn size(&mut self, file: SessionId) -> Result<u64, SessionError<()>>;
/// }
/// ```
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
