//! The target: a PD on seL4, whose memory and symbols Microkit's tool has set up.
//!
//! Order of a start: `entry` sets the stack pointer, `renew` restores the PD's memory, `entry`
//! again takes the IPC buffer and calls the constructors, then the runtime's `run_main`.

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

/// A word of memory that PDs share: on the target `AtomicU64` itself. On a host an embedder can let
/// another PD run before each access.
pub type SharedWord = AtomicU64;

/// The thread of a child runs the child's program in the registers that the kernel knows.
pub(crate) const CHILDREN_HAVE_REGISTERS: bool = true;

// `renew` sets all statics back when an incarnation begins, and these words are statics.

#[inline]
pub(crate) fn load_incarnation_word(word: &'static AtomicU64) -> u64 {
    word.load(Relaxed)
}

#[inline]
pub(crate) fn store_incarnation_word(word: &'static AtomicU64, value: u64) {
    word.store(value, Relaxed);
}
