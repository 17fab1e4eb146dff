//! The platform layer: differences between the target and a host, below the rest of the runtime.
//!
//! ```text
//!            PD code
//!               │
//!            runtime     handler, channel, ipc, memory, symbols, panicking, …
//!               │        calls what this module lists, and has no `cfg` for it
//!            platform
//!        ┌──────┴──────┐
//!     target          host
//!     on seL4         in a process that runs PDs: the embedder
//! ```
//!
//! Each item below exists on both sides with the same signature. Calls go down, with two exceptions
//! on each side: the entry point starts the runtime, and a panic calls the hook.
//!
//! Macros that declare symbols, sections or the entry point keep their own `cfg`: a macro for each
//! side would repeat every hidden arm, and each arm needs a review for soundness.

#[cfg(not(target_os = "none"))]
pub mod host;
#[cfg(target_os = "none")]
mod target;

#[cfg(not(target_os = "none"))]
use host as side;
#[cfg(target_os = "none")]
use target as side;

// Panics: the argument of a hook, the hook of this PD, and the stop of the PD.
pub use side::PanicInfo;
pub(crate) use side::{panic_hook, set_panic_hook, trap};

// The values that Microkit's tool has written for this PD.
pub use side::symbols::value;
pub(crate) use side::{irqs, is_passive, name, notifications, pps};

// The first byte of a memory region: for shared words, and for one owner.
pub use side::SharedWord;
pub(crate) use side::{exclusive_region, shared_region};

// The words of an incarnation.
pub(crate) use side::{load_incarnation_word, store_incarnation_word};

// The backtrace, and whether the kernel's registers of a child are those of the child's program.
pub(crate) use side::{CHILDREN_HAVE_REGISTERS, walk_stack};
