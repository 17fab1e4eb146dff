//! Services by name, among protection domains (PDs) that do not trust each other.
//!
//! A [`Registry`] is a PD where services register and clients look them up. In Microkit who can
//! speak to whom stands in the system file, so a lookup makes no channel: it tells a client which of
//! *its* channels leads to the service, if the service is there, and which life of it
//! ([`Epoch`]). Who may offer what, and who may find it, is a [`Table`] made of the system file
//! ([`table!`]).
//!
//! The registry:
//!
//! ```
//! use microkit_registry::{Registry, Table, table};
//! use sel4_microkit::{SharedWord, shared_words};
//!
//! table! {
//!     TABLE: "registry.system", pd = "registry";
//!     service "bell" = "bell", parent = "parent" {
//!         client "alice";
//!     }
//! }
//!
//! // #[protection_domain]
//! fn init() -> Registry {
//!     Registry::new(&TABLE, shared_words!(lasting, lasting_size, SharedWord))
//! }
//! ```
//!
//! A client:
//!
//! ```
//! use microkit_registry::{Name, Names};
//! use sel4_microkit::{Channel, ChannelSet};
//!
//! const REGISTRY: Channel = Channel::new(1);
//!
//! # fn run() {
//! let names = Names::connect(REGISTRY).expect("both are of one version");
//! let bell = names.wait_for(Name::new("bell"), &mut ChannelSet::default());
//! bell.expect("the registry serves").channel.notify();
//! # }
//! ```
//!
//! # What holds
//!
//! - **The order of start does not matter.** Who has looked a service up is notified when the answer
//!   changes, whatever the answer was; a registration is complete before anybody hears of it.
//! - **Who may not find a service cannot tell that there is one.** A name that is not granted, one
//!   that nobody has registered and one that nobody has heard of get the same answer, by the same
//!   instructions, and leave the same in memory.
//! - **A restart is seen.** Each registration has a later [`Epoch`] than all before. A service that
//!   begins anew, or whose parent [reports its death](Names::report_death), is not found until it
//!   registers again, and those who had looked it up are told. So it is when the *registry* begins
//!   anew: what was registered stays registered, and all clients are told to look again.
//! - **Nobody spends another's memory.** The registry's memory does not depend on what it is asked.
//! - **A notification is observed, or its loss is known**: see [`signals`].
//!
//! What the registry says is true when it says it: a service can die after the answer was given, and
//! the client hears of it then.
#![no_std]
#![forbid(unsafe_code)]

mod client;
mod epoch;
mod name;
mod protocol;
mod server;
pub mod signals;
mod state;
mod table;

pub use client::{Found, Names};
pub use epoch::{Epoch, Stale};
pub use name::Name;
pub use protocol::{
    Directory, DirectoryClient, DirectoryServer, LookupReply, NotAllowed, NotFound,
};
pub use server::Registry;
pub use state::RegistryState;
pub use table::{Grant, MAX_SERVICES, Service, Table};

#[doc(hidden)]
pub mod _private {
    //! What the macro needs.
    pub use microkit_system::system;

    use sel4_microkit::MayNotify;

    /// Is compiled only if the registry may notify the client.
    pub const fn is_notified<C: MayNotify>(_: C) {}
}
