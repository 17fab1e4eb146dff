//! The platform layer of the runtime, with one implementation for the target and one for a host.
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
//! Both implementations export the same items with the same signatures. Calls go down, with two
//! exceptions: the entry point starts the runtime, and a panic calls the hook.
//!
//! Macros that declare symbols, sections or the entry point keep their own `cfg`. A macro for each
//! implementation would repeat every hidden arm, and each arm needs a review for soundness.

#[cfg(not(target_os = "none"))]
pub mod host;
#[cfg(target_os = "none")]
mod target;

#[cfg(not(target_os = "none"))]
use host as side;
#[cfg(target_os = "none")]
use target as side;

// Panics: the argument of a hook, the hook of this PD, and the function that stops the PD.
pub use side::PanicInfo;
pub(crate) use side::{panic_hook, set_panic_hook, trap};

// The values that Microkit's tool has written for this PD.
pub use side::symbols::value;
pub(crate) use side::{irqs, is_passive, name, notifications, pps};

// Memory regions: shared words, and regions with one owner.
pub use side::SharedWord;
pub(crate) use side::{exclusive_region, shared_region};

// The access to incarnation words, which are zero at the start of every incarnation.
pub(crate) use side::{load_incarnation_word, store_incarnation_word};

// Backtraces, and the constant that states whether a parent can read the registers of a child's
// program.
pub(crate) use side::{CHILDREN_HAVE_REGISTERS, walk_stack};
