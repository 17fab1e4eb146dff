//! Protected procedure calls with types: a trait, written once, gives the client and the server.
//!
//! ```
//! use microkit_protocol::protocol;
//! use sel4_microkit::{Channel, Handler, Infallible, MessageInfo};
//! use zerocopy::{Immutable, IntoBytes, TryFromBytes};
//!
//! #[protocol]
//! trait Counter {
//!     /// Adds to the counter, and returns what it is then.
//!     fn add(&mut self, amount: u64) -> Result<u64, Overflow>;
//! }
//!
//! /// The counter is as it was: there is room for so much only.
//! #[derive(Debug, PartialEq, TryFromBytes, IntoBytes, Immutable)]
//! #[repr(C)]
//! struct Overflow {
//!     room: u64,
//! }
//!
//! // The server:
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
//! // The client:
//! fn count(server: Channel) -> Result<u64, microkit_protocol::CallError<Overflow>> {
//!     let counter = CounterClient::connect(server).expect("the two are of one version");
//!     counter.add(2)
//! }
//! ```
//!
//! # What a message is
//!
//! The label of a request is the number of the method, from 1 on in the order of the trait; 0 is the
//! connect. Each argument begins with a word of its own; together they have at most 64 words, which
//! is checked when the protocol is compiled. Up to four travel in CPU registers, there and back.
//!
//! The label of a reply is 0 for the result, 1 for the error of a method that returns a `Result`, and
//! otherwise why the request was [refused](Refusal).
//!
//! What travels is a [`Message`]: every type that is `zerocopy`'s `TryFromBytes`, `IntoBytes` and
//! `Immutable`, and strings and vectors of `heapless`.
//!
//! # Whom it trusts
//!
//! Nobody. A server takes any words from a client, and a client any reply from a server, without a
//! panic: what is not a value of the type that is due is an error to the one that has sent the
//! request.
#![no_std]
#![forbid(unsafe_code)]

mod bounded;
mod call;
mod error;
mod message;
mod serve;
mod version;

/// Makes of a trait a client and a server.
///
/// ```
/// use heapless::String;
/// use microkit_protocol::protocol;
///
/// #[protocol]
/// pub trait Names {
///     /// Gives a name a number.
///     fn intern(&mut self, name: String<32>) -> u32;
///     fn forget(&mut self, number: u32) -> Result<(), ()>;
/// }
/// ```
///
/// For a trait `Names` it gives, as visible as the trait:
///
/// * `NamesClient<C>`, a copyable handle on a channel: `NamesClient::connect(channel)`, where `C` is
///   [`Channel`](sel4_microkit::Channel), which it is if it is not written, or another type that
///   [may be called](sel4_microkit::MayCall), such as one of `microkit_system::system!`, which needs
///   no memory; and for each method one that calls the server. It
///   returns `Result<T, CallError<E>>` for a method that returns `Result<T, E>`, and
///   `Result<T, CallError>` for one that returns `T`: see [`CallError`].
/// * `NamesServer::dispatch(server, &msg_info)`, for
///   [`Handler::protected`](sel4_microkit::Handler::protected), where `server` implements the trait;
///   and `NamesServer::dispatch_with_mrs(server, &msg_info, words)`, for
///   [`Handler::protected_with_mrs`](sel4_microkit::Handler::protected_with_mrs).
/// * `NamesServer::VERSION`, a number that differs where the trait's name, a method, or the name or
///   size of a type that travels differs. A client's `connect` compares the two.
///
/// A method takes `&self` or `&mut self`, and its arguments by value. It has no type parameters.
/// `Result` is written with both its types.
pub use microkit_protocol_macros::protocol;

pub use error::{CallError, Invalid, RESTARTED, Refusal};
pub use message::{Bounded, MAX_WORDS, Message, Plain};

#[doc(hidden)]
pub mod _private {
    //! What the macro needs.
    pub use sel4_microkit;

    pub use crate::call::{call, connect};
    pub use crate::message::{put, take, words};
    pub use crate::serve::{
        InMemory, InRegisters, Place, arguments, finish, greet, refuse, reply, reply_result,
    };
    pub use crate::version::version;
}
