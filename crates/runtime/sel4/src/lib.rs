//! seL4's API with Rust types: capabilities, messages, faults and invocations.
//!
//! A [`Cap`] is a capability pointer with the type of the object that it points to. The methods are
//! the system calls and invocations of that type. A call needs the thread's IPC buffer, because the
//! kernel writes to the buffer. There are two ways to name the buffer:
//!
//! * *Explicitly*, with a token: `cap.with(&mut token).call(info)`. A call inside a view of the
//!   buffer does not compile, so run-time checks are not needed.
//! * *Implicitly*: `cap.call(info)` uses the buffer that the runtime has set ([`set_ipc_buffer`]).
//!   A call inside a view of the buffer ([`with_ipc_buffer`], [`with_ipc_buffer_mut`]) panics. The
//!   panic message gives the locations of the call and of the view.
//!
//! In both cases, marshalling, the system call and unmarshalling are separate scopes. References to
//! the buffer never exist while the kernel writes to it.
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
//! A safe method never violates the memory safety of any protection domain. This holds for all
//! arguments and all system files. Therefore, a message with any label is safe only through an
//! [`Endpoint`](cap::Endpoint) or a [`Reply`](cap::Reply) capability. Creating a typed capability
//! from a number is `unsafe` ([`Cap::from_bits`]). The file `docs/soundness/sel4.md` in the
//! repository gives the reasons. The SAFETY comments refer to the invariants in that file, such as
//! C-1.
//!
//! # Names
//!
//! Items have the same names as in the crate `sel4` of rust-sel4. Other items have the names of the
//! seL4 manual.
//!
//! # Contract lines
//!
//! **Blocking:** states how long a method blocks. **Rights:** lists the capability rights that a
//! method needs (seL4 manual, *Capability Rights*). Methods that use the implicit IPC buffer panic
//! if the buffer is borrowed.
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
