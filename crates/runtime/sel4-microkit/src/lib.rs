//! The runtime of [seL4 Microkit](https://github.com/seL4/microkit) protection domains (PDs).
//!
//! A PD is a function marked [`protection_domain`] that returns a [`Handler`]; the runtime then
//! waits for events and calls the handler for each:
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
//! Names are those of rust-sel4's `sel4-microkit`, so that a PD written for it compiles here.
//!
//! Symbols that Microkit's tool writes into are kept by the linker without the user's help. In a
//! kernel configuration without debug output, [`debug_println!`] compiles to nothing.
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
/// * `heap_size = BYTES` gives the PD a heap of that size, and with it a global allocator.
/// * `stack_size = BYTES` asks for a stack of that size. `stack_size` of the `<protection_domain>`
///   in the system file must give it: the program runs on the stack that Microkit maps. An unmapped
///   page below it makes an overflow fault before it touches anything. `cargo microkit` refuses a
///   system file that gives less, and the program faults at its start.
/// * `kept_data_size = BYTES` is how much of the program's initialised data (`.data`) is kept for a
///   restart by the parent, which finds all of the program's statics as they were at first; 4096 if
///   it is not given. A program that has more faults when it is restarted.
pub use sel4_microkit_macros::protection_domain;

#[doc(hidden)]
pub mod _private {
    //! What the macros need.
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
