//! Sessions of clients with a server over protected calls, each closed exactly once.
//!
//! A server keeps a bounded table, [`Sessions`], of what it knows of each session: a file that is
//! open, a connection of a network. A client has a [`Session`], whose drop closes it, or shares one
//! among several [owners](Shared). What they say to each other beside that is a protocol of
//! `microkit_protocol`, in which the session's number travels, a [`SessionId`].
//!
//! ```
//! use microkit_protocol::protocol;
//! use microkit_sessions::{Connection, OpenError, SessionError, SessionId, Sessions};
//! use sel4_microkit::{Channel, Handler, Infallible, MessageInfo};
//!
//! #[protocol]
//! trait Counters {
//!     /// Opens a session with a counter.
//!     fn counter(&mut self, value: u64) -> Result<SessionId, SessionError<()>>;
//!     /// Adds to it, and returns what it is then.
//!     fn add(&mut self, counter: SessionId, amount: u64) -> Result<u64, SessionError<()>>;
//! }
//!
//! // The server:
//! struct Server {
//!     sessions: Sessions<u64, 16>,
//! }
//!
//! /// A call, and over which channel it comes.
//! struct Call<'a> {
//!     server: &'a mut Server,
//!     channel: Channel,
//! }
//!
//! impl Counters for Call<'_> {
//!     fn counter(&mut self, value: u64) -> Result<SessionId, SessionError<()>> {
//!         Ok(self.server.sessions.open(self.channel, value)?)
//!     }
//!
//!     fn add(&mut self, counter: SessionId, amount: u64) -> Result<u64, SessionError<()>> {
//!         let value = self.server.sessions.get_mut(self.channel, &counter)?;
//!         *value = value.wrapping_add(amount);
//!         Ok(*value)
//!     }
//! }
//!
//! impl Handler for Server {
//!     type Error = Infallible;
//!
//!     fn protected(&mut self, channel: Channel, info: MessageInfo) -> Result<MessageInfo, Infallible> {
//!         if let Some(reply) = self.sessions.answer(channel, &info, drop) {
//!             return Ok(reply);
//!         }
//!         let server = self;
//!         Ok(CountersServer::dispatch(&mut Call { server, channel }, &info))
//!     }
//! }
//!
//! // The client:
//! fn count(channel: Channel) -> Result<u64, OpenError> {
//!     let server = Connection::connect(channel).expect("it is a server of sessions");
//!     let counters = CountersClient::connect(channel).expect("the two are of one version");
//!     let counter = server.open(|| counters.counter(40))?;
//!     counters.add(counter.id(), 2)
//!     // `counter` is dropped, and the session is closed.
//! }
//! ```
//!
//! # When a session ends
//!
//! - Its client drops the handle, or [closes](Session::close) it.
//! - Its client begins a new life, which [connects](Connection::connect).
//! - Its client's end is [reported](Connection::report_end), by whom the server
//!   [lets](Sessions::allow_reports) report it.
//! - The server [closes](Sessions::kick) it; the client's next call says so.
//! - The server begins a new life, which has no sessions.
//!
//! Nobody else's session ends by any of these. A session's number is never given again, and is of no
//! use to another client, so that what comes late or is forged is refused.
//!
//! # Whom it trusts
//!
//! A server trusts no client. A client that misbehaves harms its own sessions only. Within a
//! protection domain there is no protection: a library that knows another's number can close it.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(not(target_os = "none"))]
extern crate std;

mod answer;
mod connection;
mod error;
mod id;
mod rules;
mod session;
mod shared;
mod table;
#[cfg(test)]
mod tests;
mod wire;

pub use connection::Connection;
pub use error::{
    CloseError, ConnectError, InSession, OpenError, Refused, ReportError, SessionError,
};
pub use id::SessionId;
pub use session::Session;
pub use shared::{Owner, Shared};
pub use table::Sessions;
