//! A registry of services by name, for protection domains (PDs) that do not trust each other.
//!
//! A [`Registry`] is a PD in which services register and clients look them up. In Microkit, the
//! system file defines all channels, so a lookup does not create a channel. If the service is
//! registered, a lookup returns the client's existing channel to the service and the service's
//! [`Epoch`]. A [`Table`] defines the PDs that may register each service and the PDs that may find
//! it. [`table!`] generates the table from the system file.
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
//! - **The order of start does not matter.** A lookup with a grant also subscribes the client: the
//!   registry notifies the client when the result changes. A registration is complete before the
//!   registry notifies any client.
//! - **A client cannot detect a service that it may not find.** A lookup of a service without a
//!   grant, of a service that is not registered and of an unknown name has the same answer. The
//!   registry executes the same instructions in all three cases. A lookup without a grant does not
//!   change the registry's state.
//! - **A client sees a restart.** Each registration of a service has a later [`Epoch`]. A service
//!   that restarts is withdrawn until it registers again, and its subscribers are notified. The
//!   parent can also [report the death](Names::report_death) of a service. After a restart of the
//!   *registry*, services stay registered, and all clients are notified to look up again.
//! - **A PD cannot use up the registry's memory.** The size of this memory does not depend on the
//!   requests.
//! - **A sender can detect a lost notification:** see [`signals`].
//!
//! An answer is correct at the time of the registry's reply. If the service dies later, the
//! registry notifies the client.
//!
//! # Contract lines
//!
//! **Blocking:** states how long a call can wait. **Rights:** lists the channels, attributes and
//! priorities that the system file must define.
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
