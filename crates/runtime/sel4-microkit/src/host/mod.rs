//! Being a protection domain on a host, where Microkit's tool has written nothing.
//!
//! A test tells its thread what it is; the kernel that answers it is that of
//! `sel4_sys::host::install`. `microkit-test` does all of this for whole systems.

mod incarnation_words;
mod local;
mod panic;
mod region;
mod shared_word;
mod state;
mod symbols;

use std::cell::Cell;

pub use local::local;
pub use panic::{PanicInfo, PanicLocation, run, watch_panics};
pub use region::HostRegion;
pub use shared_word::SharedWord;
pub use state::State;
pub use symbols::{Symbol, set_symbols};

pub(crate) use incarnation_words::{incarnation_word, set_incarnation_word};
pub(crate) use panic::Stopped;
pub(crate) use symbols::{exclusive, shared, word};

/// What Microkit's tool would write into a protection domain's symbols.
#[derive(Debug, Copy, Clone, Default, PartialEq, Eq)]
pub struct ProtectionDomain {
    /// Its name.
    pub name: &'static str,
    /// Whether it is passive.
    pub passive: bool,
    /// Bit *n* is set if channel *n* is an interrupt.
    pub irqs: u64,
    /// Bit *n* is set if channel *n* may be notified.
    pub notifications: u64,
    /// Bit *n* is set if channel *n* may be called.
    pub pps: u64,
}

impl ProtectionDomain {
    /// What a thread is that was told nothing.
    const UNKNOWN: Self = Self {
        name: "?",
        passive: false,
        irqs: 0,
        notifications: 0,
        pps: 0,
    };

    /// What this thread is.
    pub fn current() -> Self {
        CURRENT.get()
    }

    /// Makes this thread be it.
    pub fn set(self) {
        CURRENT.set(self);
    }
}

std::thread_local! {
    static CURRENT: Cell<ProtectionDomain> = const { Cell::new(ProtectionDomain::UNKNOWN) };
}
