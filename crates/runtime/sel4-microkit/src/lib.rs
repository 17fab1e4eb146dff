//! The runtime of [seL4 Microkit](https://github.com/seL4/microkit) protection domains (PDs).
//!
//! A PD is a function marked [`protection_domain`] that returns a [`Handler`]. The runtime then
//! waits for events and calls the handler for each event:
//!
//! ```no_run
//! #![no_std]
//! #![no_main]
//!
//! use sel4_microkit::{Channel, ChannelSet, Handler, Infallible, debug_println, protection_domain};
//!
//! const PEER: Channel = Channel::new(0);
//!
//! struct Echo;
//!
//! #[protection_domain]
//! fn init() -> Echo {
//!     debug_println!("ready");
//!     Echo
//! }
//!
//! impl Handler for Echo {
//!     type Error = Infallible;
//!
//!     fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
//!         if channels.contains(PEER) {
//!             PEER.notify();
//!         }
//!         Ok(())
//!     }
//! }
//! ```
//!
//! The names match rust-sel4's `sel4-microkit`, so that a PD written for rust-sel4 compiles with
//! this crate.
//!
//! Microkit's tool writes values into symbols of the program. The linker keeps these symbols
//! without flags or a linker script. In a kernel configuration without debug output,
//! [`debug_println!`] compiles to nothing.
//!
//! # Lines that functions share
//!
//! - **Blocking:** how long the call can block the thread. A system call without a wait, such as a
//!   notification, does not block.
//! - **Rights:** the right that the system file must grant: an attribute of a channel's `<end>`, a
//!   capability of a `<cspace>`, or the permissions of a `<map>`.
//! - "Inside a borrow of the message registers" means inside the closure of [`with_msg_regs`] or of
//!   a similar function. A system call inside the closure panics, because the kernel would
//!   overwrite the borrowed registers.
//!
//! # On a host
//!
//! PD code also compiles for the host. On a host, `sel4_microkit::host` replaces seL4 and
//! Microkit's tool. So handlers can be tested without a board.
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(not(target_os = "none"))]
extern crate std;

mod backtrace;
mod capabilities;
mod channel;
#[cfg(feature = "embedded-io")]
mod debug_output;
mod defer;
#[cfg(feature = "mmio")]
mod device;
mod dma;
mod entry;
mod handler;
mod heap;
mod incarnation_word;
pub mod ipc;
#[cfg(feature = "log")]
pub mod logging;
mod memory;
mod message;
pub mod panicking;
mod platform;
mod printing;
mod region_record;
mod renewal;
mod restart_reply;
mod rights;
mod smc;
mod stack;
mod symbols;
mod virtual_cpu;
mod waits;

pub use backtrace::Backtrace;
pub use capabilities::{UserCapType, benchmark_tcb, cspace_root_slot_to_cptr, user_cap, vspace};
pub use channel::{Channel, Child, EntryPoint, IrqAckError};
#[cfg(feature = "embedded-io")]
pub use debug_output::DebugOutput;
pub use defer::{DeferredAction, DeferredActionInterface, DeferredActionSlot};
#[cfg(feature = "mmio")]
pub use device::{DeviceRegion, Register};
pub use dma::DmaRegion;
pub use handler::{FastWords, Handler, Infallible, Never, NullHandler, protected_in_memory};
pub use incarnation_word::IncarnationWord;
#[doc(inline)]
pub use ipc::{ChannelSet, ChannelSetIter, DisplayChannelSet};
pub use message::{
    MessageInfo, MessageLabel, MessageRegisterValue, get_mr, set_mr, with_msg_bytes,
    with_msg_bytes_mut, with_msg_regs, with_msg_regs_mut,
};
pub use platform::SharedWord;
#[cfg(not(target_os = "none"))]
pub use platform::host;
pub use restart_reply::RestartReply;
pub use rights::{MayCall, MayNotify};
pub use smc::arm_smc_call;
pub use stack::is_stack_overflow;
pub use symbols::{pd_is_passive, pd_name};
pub use virtual_cpu::VCpu;

/// Marks the function that initialises the protection domain and returns its [`Handler`].
///
/// ```no_run
/// # #![no_main]
/// # use sel4_microkit::{Handler, NullHandler, protection_domain};
/// #[protection_domain(heap_size = 64 * 1024)]
/// fn init() -> impl Handler {
///     NullHandler::new()
/// }
/// ```
///
/// | option | default | meaning |
/// | --- | --- | --- |
/// | `heap_size = BYTES` | no heap | The PD has a heap of that size, and a global allocator. |
/// | `stack_size = BYTES` | 4096 | The PD needs a stack of that size. |
/// | `kept_data_size = BYTES` | 4096 | The PD keeps a copy of up to `BYTES` of initialised data (`.data`) for a restart. |
///
/// The program runs on the stack that Microkit maps, so `stack_size` of the `<protection_domain>`
/// in the system file must be at least as large as this option. Otherwise `cargo microkit` refuses
/// the system file, and the program faults at its start. The page below the stack is unmapped, so a
/// stack overflow faults before it overwrites other memory.
///
/// When the parent restarts the PD, all statics have their initial values again. A program with
/// more initialised data than `kept_data_size` faults at a restart.
pub use sel4_microkit_macros::protection_domain;

#[doc(hidden)]
pub mod _private {
    //! Items for the macros.
    #[cfg(feature = "mmio")]
    pub use crate::device::{device, register};
    pub use crate::entry::{LEAST_STACK_BYTES, run_main, stack_bytes};
    pub use crate::heap::{Heap, HeapMemory};
    pub use crate::memory::{dma, words};
    #[cfg(not(target_os = "none"))]
    pub use crate::platform::host::entry::host_main;
    pub use crate::platform::value;
    pub use crate::region_record::RegionUse;
    pub use crate::renewal::{KEPT_DATA_BYTES, Kept};
    pub use crate::symbols::Patched;
    pub use microkit_abi::regions;
    pub use sel4::_print as print;
    pub use sel4::config::PRINTING;
}
