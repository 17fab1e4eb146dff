//! A registry of services by name, for protection domains (PDs) that do not trust each other.
//!
//! A [`Registry`] is a PD in which services register and clients look them up. In Microkit the
//! system file defines all channels, so a lookup does not create one. It tells a client which of
//! *its* channels leads to the service, whether the service is there, and its [`Epoch`]. A
//! [`Table`] defines which PD may register a service and which PD may find it. [`table!`] generates
//! it from the system file.
//!
//! ```text
//!   service ── register, withdraw ──►┌──────────┐◄── lookup, forget ── client
//!   parent ──── report_death ───────►│ registry │── notifies on every change ──► client
//!                                    └──────────┘
//! ```
//!
//! The registry's PD:
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
//! let names = Names::connect(REGISTRY).expect("both use one version");
//! let bell = names.wait_for(Name::new("bell"), &mut ChannelSet::default());
//! bell.expect("the registry serves").channel.notify();
//! # }
//! ```
//!
//! # Guarantees
//!
//! - **The order of start does not matter.** A lookup subscribes, whatever its result is: the
//!   registry notifies the client when the result changes. A registration is complete before any
//!   client is notified of it.
//! - **A client cannot detect a service that it may not find.** A name without a grant, a service
//!   that is not registered and an unknown name get the same answer, by the same instructions, and
//!   leave the registry's memory in the same state.
//! - **A client sees a restart.** Each registration has a later [`Epoch`] than the one before. A
//!   service that restarts, or whose parent [reports its death](Names::report_death), is not found
//!   until it registers again, and its subscribers are notified. When the *registry* restarts,
//!   services stay registered, and all clients are notified to look up again.
//! - **No PD spends the memory of another.** The registry's memory does not depend on the requests.
//! - **A notification is observed, or its loss is known:** see [`signals`].
//!
//! An answer is true when the registry gives it. If the service dies afterwards, the client is
//! notified.
//!
//! # Contract lines
//!
//! **Blocking:** says how long a call can wait. **Rights:** names the channels, attributes and
//! priorities that the system file must grant.
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
    //! Used by the code that `table!` generates.
    pub use microkit_system::system;

    use sel4_microkit::MayNotify;

    /// Compiles only if the registry may notify the client.
    pub const fn is_notified<C: MayNotify>(_: C) {}
}
