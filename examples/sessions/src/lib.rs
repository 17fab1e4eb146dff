//! The protocol of a server that keeps notes. Each session is a note. The note exists until the
//! session ends.
#![no_std]
#![forbid(unsafe_code)]

use heapless::String;
use microkit_protocol::protocol;
use microkit_sessions::{SessionError, SessionId};
use sel4_microkit::Channel;
use zerocopy::{Immutable, IntoBytes, TryFromBytes};

/// Notes in another PD.
#[protocol]
pub trait Notes {
    /// Opens a note.
    ///
    /// # Errors
    ///
    /// The title is empty, or the server has no room.
    fn note(&mut self, title: Title) -> Result<SessionId, SessionError<NoTitle>>;

    /// Appends to a note. Returns the new length of the note in bytes.
    ///
    /// # Errors
    ///
    /// The note does not belong to the caller, or the text does not fit.
    fn append(&mut self, note: SessionId, text: Text) -> Result<u64, SessionError<Overflow>>;

    /// Returns the text of a note.
    ///
    /// # Errors
    ///
    /// The note does not belong to the caller.
    fn read(&mut self, note: SessionId) -> Result<Text, SessionError<()>>;

    /// Closes the empty notes of all clients. Returns the number of closed notes.
    fn close_empty(&mut self) -> u64;
}

/// The title of a note.
pub type Title = String<16>;

/// The text of a note.
pub type Text = String<40>;

/// The title is empty. A note must have one.
#[derive(Debug, Copy, Clone, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct NoTitle;

/// The text does not fit. The note is unchanged.
#[derive(Debug, Copy, Clone, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Overflow {
    /// The maximum number of bytes that can be added.
    pub room: u64,
}

/// The maximum number of open notes of a client.
pub const NOTES_PER_CLIENT: usize = 3;

/// The server's channel to `doomed`, the client whose parent reports its end. `sessions.system`
/// contains the same number.
pub const DOOMED: Channel = Channel::new(4);
