//! Runs PDs in a process on a host, without seL4 and without Microkit's tool.
//!
//! The process is the *embedder*. The embedder provides the services of the target to each PD:
//!
//! | on the target | from the embedder |
//! | --- | --- |
//! | the kernel answers system calls | `sel4_sys::host::install`, or a `sel4_sys::host::Program` |
//! | the tool writes names, channels and symbols | [`ProtectionDomain::set`], [`set_symbols`] |
//! | the tool maps memory regions | [`HostRegion`] |
//! | each PD has its own statics | [`State`], which the embedder exchanges when another PD runs |
//! | other PDs run between two accesses to shared memory | [`AccessPolicy`] |
//! | a panic stops the PD with a fault | [`run`] returns, and [`watch_panics`] keeps the message |
//!
//! These settings belong to the thread in which the PD runs. A missing setting has the value of a
//! program that the tool has not changed.

pub(crate) mod entry;
mod incarnation_words;
mod local;
mod panic;
mod region;
mod shared_word;
mod state;
pub(super) mod symbols;

use std::cell::Cell;

use crate::Backtrace;

pub use local::local;
pub use panic::{PanicInfo, PanicLocation, run, watch_panics};
pub use region::HostRegion;
pub use shared_word::{AccessPolicy, SharedWord, set_access_policy};
pub use state::State;
pub use symbols::{Symbol, set_symbols};

pub(crate) use incarnation_words::{load_incarnation_word, store_incarnation_word};
pub(crate) use panic::{panic_hook, set_panic_hook, trap};
pub(crate) use symbols::{
    exclusive_region, irqs, is_passive, name, notifications, pps, shared_region,
};

/// On a host, a child's program is compiled for the host, so the kernel does not see the registers
/// of the program. If a parent reads the registers of a child, they have their initial values until
/// the child faults.
pub(crate) const CHILDREN_HAVE_REGISTERS: bool = false;

/// Returns an empty backtrace: the stack of a host does not have the target's frame records.
pub(crate) fn walk_stack() -> Backtrace {
    Backtrace::default()
}

/// The values that Microkit's tool writes into the symbols of a PD.
#[derive(Debug, Copy, Clone, Default, PartialEq, Eq)]
pub struct ProtectionDomain {
    /// The name of the PD.
    pub name: &'static str,
    /// Whether the PD is passive.
    pub passive: bool,
    /// Bit *n* is set if channel *n* is an IRQ.
    pub irqs: u64,
    /// Bit *n* is set if this PD can notify on channel *n*.
    pub notifications: u64,
    /// Bit *n* is set if this PD can call on channel *n*.
    pub pps: u64,
}

impl ProtectionDomain {
    /// The PD of a thread without settings.
    const UNKNOWN: Self = Self {
        name: "?",
        passive: false,
        irqs: 0,
        notifications: 0,
        pps: 0,
    };

    /// Returns the PD that runs in this thread.
    pub fn current() -> Self {
        CURRENT.get()
    }

    /// Makes `self` the PD that runs in this thread.
    pub fn set(self) {
        CURRENT.set(self);
    }
}

std::thread_local! {
    static CURRENT: Cell<ProtectionDomain> = const { Cell::new(ProtectionDomain::UNKNOWN) };
}
