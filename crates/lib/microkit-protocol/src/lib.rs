//! Typed protected procedure calls: one trait generates the client and the server.
//!
//! ```
//! use microkit_protocol::protocol;
//! use sel4_microkit::{Channel, Handler, Infallible, MessageInfo};
//! use zerocopy::{Immutable, IntoBytes, TryFromBytes};
//!
//! #[protocol]
//! trait Counter {
//!     /// Adds to the counter and returns the new value.
//!     fn add(&mut self, amount: u64) -> Result<u64, Overflow>;
//! }
//!
//! /// The counter did not change: only `room` can still be added.
//! #[derive(Debug, PartialEq, TryFromBytes, IntoBytes, Immutable)]
//! #[repr(C)]
//! struct Overflow {
//!     room: u64,
//! }
//!
//! // The server.
//! struct Server {
//!     value: u64,
//! }
//!
//! impl Counter for Server {
//!     fn add(&mut self, amount: u64) -> Result<u64, Overflow> {
//!         let room = u64::MAX - self.value;
//!         self.value = self.value.checked_add(amount).ok_or(Overflow { room })?;
//!         Ok(self.value)
//!     }
//! }
//!
//! impl Handler for Server {
//!     type Error = Infallible;
//!
//!     fn protected(&mut self, _: Channel, msg_info: MessageInfo) -> Result<MessageInfo, Infallible> {
//!         Ok(CounterServer::dispatch(self, &msg_info))
//!     }
//! }
//!
//! // The client.
//! fn count(server: Channel) -> Result<u64, microkit_protocol::CallError<Overflow>> {
//!     let counter = CounterClient::connect(server).expect("both use one version");
//!     counter.add(2)
//! }
//! ```
//!
//! # Message format
//!
//! | message | label | message registers |
//! | --- | --- | --- |
//! | request to connect | 0 | the version |
//! | reply to it | 0 | the version |
//! | request | number of the method, counted from 1 in the order of the trait | the arguments |
//! | reply with the result | 0 | the result |
//! | reply with the error of a method that returns a `Result` | 1 | the error |
//! | [refusal](Refusal) | 2 and up | none |
//!
//! Each argument starts in a new message register (64 bits). All arguments together fill at most 64
//! message registers, and the result fills at most 64. The compiler checks both limits. A request
//! or reply of at most four words travels in CPU registers.
//!
//! Arguments and results implement [`Message`]. The implementing types are:
//!
//! * every type with `zerocopy`'s `TryFromBytes`, `IntoBytes` and `Immutable`,
//! * `heapless::String` and `heapless::Vec`.
//!
//! # Trust
//!
//! Neither end trusts the other. A server accepts any words from a client, and a client accepts any
//! reply from a server, without a panic. If words are not a value of the expected type, the
//! client's call returns an error.
//!
//! # Contract lines
//!
//! **Blocking:** says how long a call can wait. The generated code also has rustdoc's `# Errors`
//! and `# Panics` sections.
#![no_std]
#![forbid(unsafe_code)]

mod bounded;
mod call;
mod error;
mod message;
mod serve;
mod version;

/// Generates a client and a server from a trait.
///
/// ```
/// use heapless::String;
/// use microkit_protocol::protocol;
///
/// #[protocol]
/// pub trait Table {
///     /// Returns the number of a name, and assigns one to a new name.
///     fn intern(&mut self, name: String<32>) -> u32;
///     fn forget(&mut self, number: u32) -> Result<(), ()>;
/// }
///
/// fn use_it(channel: sel4_microkit::Channel) -> Result<u32, microkit_protocol::CallError> {
///     let table = TableClient::connect(channel)?;
///     table.intern("uart".try_into().expect("it fits"))
/// }
/// ```
///
/// For a trait `Table`, the macro generates these items, with the visibility of the trait:
///
/// * `TableClient<C>`, a copyable handle for a channel, with one method for each method of the
///   trait. Each client method calls the server. If the trait's method returns `Result<T, E>`, the
///   client method returns `Result<T, CallError<E>>`. Otherwise, the client method returns
///   `Result<T, CallError>`: see [`CallError`]. `C` is [`Channel`](sel4_microkit::Channel) by
///   default. `C` can be any type that implements [`MayCall`](sel4_microkit::MayCall), such as a
///   zero-sized channel of `microkit_system::system!`.
/// * `TableClient::connect(channel)`: compares the versions of client and server.
/// * `TableServer::dispatch(server, &msg_info)`, for
///   [`Handler::protected`](sel4_microkit::Handler::protected). `server` implements the trait.
/// * `TableServer::dispatch_with_mrs(server, &msg_info, words)`, for
///   [`Handler::protected_with_mrs`](sel4_microkit::Handler::protected_with_mrs).
/// * `TableServer::VERSION`, a hash of the trait's name, its methods, and the names and sizes of
///   their types.
///
/// A method takes `&self` or `&mut self`, and its arguments by value. The method has no type
/// parameters. If the method returns a `Result`, write the types of both the value and the error:
/// an error travels in a reply with a separate label.
pub use microkit_protocol_macros::protocol;

pub use error::{CallError, Invalid, RESTARTED, Refusal};
pub use message::{Bounded, MAX_WORDS, Message, Plain};

#[doc(hidden)]
pub mod _private {
    //! Items for the code that `#[protocol]` generates.
    pub use sel4_microkit;

    pub use crate::call::{call, connect};
    pub use crate::message::{put, take, words};
    pub use crate::serve::{
        InMemory, InRegisters, Place, arguments, finish, greet, refuse, reply, reply_result,
    };
    pub use crate::version::version;
}
