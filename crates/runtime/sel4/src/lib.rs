//! seL4's API with Rust types: capabilities, messages, faults and invocations.
//!
//! A [`Cap`] is a capability pointer with the type of the object that it points to. Its methods are
//! the system calls and invocations of that type. A call needs the thread's IPC buffer, because the
//! kernel writes to it. There are two ways to name the buffer:
//!
//! * *Explicitly*, with a token: `cap.with(&mut token).call(info)`. A call inside a view of the
//!   buffer does not compile, so nothing is checked at run time.
//! * *Implicitly*: `cap.call(info)` uses the buffer that the runtime has set ([`set_ipc_buffer`]).
//!   A call inside a view of it ([`with_ipc_buffer`], [`with_ipc_buffer_mut`]) panics. The message
//!   names both places.
//!
//! In both ways, marshalling, the call and unmarshalling are three scopes. No reference to the
//! buffer is alive while the kernel writes to it.
//!
//! ```
//! # use std::rc::Rc;
//! # use sel4::sys::host::{self, HostBuffer, Registers};
//! # host::install(Some(Rc::new(|registers: &mut Registers, _: Option<HostBuffer<'_>>| {
//! #     registers.message[0] += 1;
//! # })));
//! # sel4::set_ipc_buffer(host::new_ipc_buffer());
//! fn increment(server: sel4::cap::Endpoint, number: u64) -> u64 {
//!     let info = sel4::MessageInfoBuilder::default().label(1).length(1).build();
//!     server.call_with_mrs(info, [number]).msg[0]
//! }
//! # // SAFETY: the kernel above has no objects.
//! # assert_eq!(increment(unsafe { sel4::cap::Endpoint::from_bits(74) }, 6), 7);
//! ```
//!
//! # Safety
//!
//! A method is safe if it cannot break memory, of this program or of another protection domain,
//! with any arguments and with any system file. So message passing with any label is safe only at
//! an [`Endpoint`](cap::Endpoint), and giving a number a type is `unsafe` ([`Cap::from_bits`]).
//! `docs/soundness/sel4.md` in the repository gives the reasons. The SAFETY comments refer to its
//! numbers, such as C-1.
//!
//! # Names
//!
//! Names are those of the seL4 manual, and those of rust-sel4's crate `sel4` where it has one.
//!
//! # Contract lines
//!
//! **Blocking:** says when a method waits. **Rights:** lists the capability rights that a method
//! needs (seL4 manual, *Capability Rights*). Methods that go through the implicit IPC buffer panic
//! inside a borrow of it.
#![no_std]

#[cfg(not(target_os = "none"))]
extern crate std;

mod benchmark;
mod cap_rights;
mod configuration;
mod context;
mod cptr;
mod debug;
mod error;
mod fault;
mod fault_reply;
mod implicit;
mod invocations;
mod ipc;
mod message_info;
mod thread;
mod user_context;
mod vcpu_reg;

pub use sel4_sys as sys;
pub use sel4_sys::{CPtr as CPtrBits, IpcBuffer, IpcBufferToken, MessageInfo, Word, config};

pub use benchmark::{
    ThreadUtilisation, Utilisation, benchmark_dump_all_thread_utilisation, benchmark_finalize_log,
    benchmark_get_thread_utilisation, benchmark_null_syscall,
    benchmark_reset_all_thread_utilisation, benchmark_reset_log,
    benchmark_reset_thread_utilisation, benchmark_set_log_buffer, cycle_counter,
};
pub use cap_rights::{CapRights, CapRightsBuilder};
pub use context::{InvocationContext, NoExplicitInvocationContext};
pub use cptr::{AbsoluteCPtr, CPtr, CPtrWithDepth, Cap, CapType, HasCPtrWithDepth, cap, cap_type};
#[doc(hidden)]
pub use debug::_print;
pub use debug::{DebugWrite, debug_halt, debug_put_char, debug_snapshot};
pub use error::{Error, Result};
pub use fault::{
    Access, CapFault, DebugException, DebugReason, Fault, LookupFailure, NullFault, Timeout,
    UnknownSyscall, UserException, VCpuFault, VGicMaintenance, VPpiEvent, VmFault,
};
pub use fault_reply::{FaultReply, SyscallReply, UserExceptionReply};
#[cfg(not(target_os = "none"))]
pub use implicit::SetAside;
pub use implicit::{
    ImplicitInvocationContext, abandon_borrows, is_ipc_buffer_borrowed, msg_reg, set_ipc_buffer,
    set_msg_reg, start_with_ipc_buffer, with_ipc_buffer, with_ipc_buffer_mut,
    with_ipc_buffer_token,
};
pub use invocations::{BreakOn, Breakpoint, NUM_SMC_REGISTERS, TcbFlagsBuilder, Time};
pub use ipc::{
    Badge, CallWithMRs, ConveysReplyAuthority, FastMessages, NUM_FAST_MESSAGE_REGISTERS,
    NUM_MESSAGE_REGISTERS, ReceiveFrom, RecvWithMRs, ReplyAuthority, r#yield,
};
pub use message_info::MessageInfoBuilder;
#[cfg(target_os = "none")]
#[doc(hidden)]
pub use thread::OfTheThread;
pub use user_context::UserContext;
pub use vcpu_reg::VCpuReg;

pub use sel4_macros::sel4_cfg;

/// The number of bits of a [`Word`].
pub const WORD_SIZE: usize = Word::BITS as usize;
