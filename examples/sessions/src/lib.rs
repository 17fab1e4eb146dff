//! The protocol of a server that keeps notes: a session is a note, which is there as long as the
//! session is.
#![no_std]
#![forbid(unsafe_code)]

use heapless::String;
use microkit_protocol::protocol;
use microkit_sessions::{SessionError, SessionId};
use sel4_microkit::Channel;
use zerocopy::{Immutable, IntoBytes, TryFromBytes};

/// Notes that somebody else keeps.
#[protocol]
pub trait Notes {
    /// Begins a note.
    fn note(&mut self, title: Title) -> Result<SessionId, SessionError<NoTitle>>;

    /// Adds to a note, and returns how many bytes it has then.
    fn append(&mut self, note: SessionId, text: Text) -> Result<u64, SessionError<Overflow>>;

    /// What is in a note.
    fn read(&mut self, note: SessionId) -> Result<Text, SessionError<()>>;

    /// Closes all notes, of whomever, in which there is nothing, and returns how many.
    fn close_empty(&mut self) -> u64;
}

/// The title of a note.
pub type Title = String<16>;

/// What is in a note.
pub type Text = String<40>;

/// A note has a title.
#[derive(Debug, Copy, Clone, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct NoTitle;

/// The note is as it was: there is room for so much only.
#[derive(Debug, Copy, Clone, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Overflow {
    /// The most bytes that can be added.
    pub room: u64,
}

/// How many notes a client can have.
pub const NOTES_PER_CLIENT: usize = 3;

/// The server's channel to the client whose end its parent reports, as in `sessions.system`.
pub const DOOMED: Channel = Channel::new(4);
