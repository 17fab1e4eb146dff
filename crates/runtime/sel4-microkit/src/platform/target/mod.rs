//! The target: a PD on seL4. Microkit's tool has set up the PD's memory and symbols.
//!
//! The order of a start is as follows. `entry` sets the stack pointer, and `renew` restores the
//! PD's memory. Then `entry` takes the IPC buffer and calls the constructors. Then `run_main` of
//! the runtime runs.

mod backtrace;
mod entry;
mod one_thread;
mod panic;
mod regions;
mod renew;
pub(super) mod symbols;

use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;

pub(crate) use backtrace::walk_stack;
pub use panic::PanicInfo;
pub(crate) use panic::{panic_hook, set_panic_hook, trap};
pub(crate) use regions::{exclusive_region, shared_region};
pub(crate) use symbols::{irqs, is_passive, name, notifications, pps};

/// A word of memory that PDs share. On the target, `SharedWord` is `AtomicU64`. On a host, an
/// embedder can run another PD before each access.
pub type SharedWord = AtomicU64;

/// On the target, the kernel holds the registers of a child's program.
pub(crate) const CHILDREN_HAVE_REGISTERS: bool = true;

// Incarnation words are statics, and `renew` resets all statics at the start of an incarnation.

#[inline]
pub(crate) fn load_incarnation_word(word: &'static AtomicU64) -> u64 {
    word.load(Relaxed)
}

#[inline]
pub(crate) fn store_incarnation_word(word: &'static AtomicU64, value: u64) {
    word.store(value, Relaxed);
}
