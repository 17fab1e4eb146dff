//! seL4's API in Rust's types: capabilities, messages, faults, invocations.
//!
//! A [`Cap`] is a capability pointer with the type of what it points to; its methods are the
//! system calls and invocations of that type. A call needs the thread's IPC buffer, which the
//! kernel writes. There are two ways to say which:
//!
//! * *Explicitly*, with a token: `cap.with(&mut token).call(info)`. Nothing is checked at run
//!   time; a call inside a view of the buffer does not compile.
//! * *Implicitly*, which needs no argument: `cap.call(info)`. The buffer that the runtime has set
//!   ([`set_ipc_buffer`]) is used. A call inside a view of it ([`with_ipc_buffer`],
//!   [`with_ipc_buffer_mut`]) panics, and the message names both places.
//!
//! Either way marshalling, the call, and unmarshalling are three scopes, and no reference to the
//! buffer is alive while the kernel writes it.
//!
//! A method is safe if no argument of it breaks memory, of this program or of another protection
//! domain, whatever the system file gives. So message passing with any label is safe at an
//! [`Endpoint`](cap::Endpoint) only, and giving a number a type is `unsafe` ([`Cap::from_bits`]).
//! `docs/soundness/sel4.md` in the repository gives the reasons. Its numbers, such as C-1, are
//! those of the SAFETY comments.
//!
//! Names are those of the seL4 manual and, where it has one for the thing, of rust-sel4's `sel4`.
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

/// Bits of a [`Word`].
pub const WORD_SIZE: usize = Word::BITS as usize;
