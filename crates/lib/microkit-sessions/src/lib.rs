//! Sessions between clients and a server over protected procedure calls. Each session is closed
//! once.
//!
//! A server keeps the state of each session, such as an open file, in a table of fixed size:
//! [`Sessions`]. A client holds a [`Session`]. Dropping the `Session` closes the session. Several
//! parts of a program can share one session through [`Shared`]. The server's own calls are a
//! protocol of `microkit_protocol`, in which a [`SessionId`] identifies the session.
//!
//! ```text
//!   client                                server
//!   Connection::connect ──── connect ────► Sessions::answer (closes earlier incarnations' sessions)
//!   Connection::open ─────── protocol ───► Sessions::open
//!   session.id() ─────────── protocol ───► Sessions::get_mut
//!   drop(session) ────────── close ──────► Sessions::answer
//! ```
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
//!     /// Adds to the counter and returns the new value.
//!     fn add(&mut self, counter: SessionId, amount: u64) -> Result<u64, SessionError<()>>;
//! }
//!
//! // The server.
//! struct Server {
//!     sessions: Sessions<u64, 16>,
//! }
//!
//! /// A call, with the channel of its client.
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
//! // The client.
//! fn count(channel: Channel) -> Result<u64, OpenError> {
//!     let server = Connection::connect(channel).expect("the peer is a session server");
//!     let counters = CountersClient::connect(channel).expect("both use one version");
//!     let counter = server.open(|| counters.counter(40))?;
//!     counters.add(counter.id(), 2)
//!     // This drops `counter`, which closes the session.
//! }
//! ```
//!
//! # When a session ends
//!
//! - The client drops or [closes](Session::close) the handle.
//! - The client restarts and [connects](Connection::connect) again.
//! - Another client [reports](Connection::report_end) the death of the client. The server must
//!   [allow](Sessions::allow_reports) this report.
//! - The server [closes](Sessions::kick) the session. The client's next call returns an error.
//! - The server restarts. Its new incarnation starts without sessions.
//!
//! Except for an allowed report, a client cannot end a session of another client. A session's
//! number is never reused, and only the client of the session can use the number. So the server
//! refuses a late close and a forged number.
//!
//! # Trust
//!
//! A server does not trust its clients. A client that misbehaves harms only its own sessions. The
//! libraries of one protection domain are not protected from each other. A library that has the
//! number of another library's session can close that session.
//!
//! # Contract lines
//!
//! **Blocking:** states how long a call can wait. **Rights:** states the rights that the system
//! file or the server must grant.
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
