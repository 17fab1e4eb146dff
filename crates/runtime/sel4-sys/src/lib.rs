//! The system calls of MCS seL4 for AArch64, one function each, and the IPC buffer as a token.
//!
//! The kernel writes to a thread's IPC buffer during a system call. A Rust reference to the buffer
//! that lives across a system call is undefined behaviour, and causes wrong results in release
//! builds. So this crate represents the buffer by an [`IpcBufferToken`]. The token lends a view of
//! the buffer while a closure runs ([`IpcBufferToken::with`], [`IpcBufferToken::with_mut`]). Every
//! system call that may access the buffer takes the token by `&mut`. A call inside a view does not
//! compile:
//!
//! ```compile_fail
//! # fn inside(token: &mut sel4_sys::IpcBufferToken) {
//! token.with_mut(|view| {
//!     view.msg_regs_mut()[0] = 1;
//!     unsafe { sel4_sys::call(token, 1, sel4_sys::MessageInfo::new(0, 0, 0, 1), [1, 0, 0, 0]) };
//! });
//! # }
//! ```
//!
//! The first four message registers travel in CPU registers, as arguments and results of the
//! functions in this crate. A message of at most four words does not use the buffer in memory.
//!
//! # Examples
//!
//! On a host, system calls go to the [`host::HostKernel`] that the thread has installed. So tests
//! of a program can run on the development machine:
//!
//! ```
//! use std::rc::Rc;
//! use sel4_sys::host::{self, HostBuffer, Registers};
//! use sel4_sys::{MessageInfo, syscall};
//!
//! // A kernel that replies to each call with the sum of the first two words.
//! let kernel = |registers: &mut Registers, _: Option<HostBuffer<'_>>| {
//!     assert_eq!(registers.number, syscall::Call);
//!     registers.message[0] += registers.message[1];
//! };
//! host::install(Some(Rc::new(kernel)));
//!
//! let mut token = host::new_ipc_buffer();
//! let info = MessageInfo::new(0, 0, 0, 2);
//! // SAFETY: the kernel above only adds.
//! let reply = unsafe { sel4_sys::call(&mut token, 7, info, [40, 2, 0, 0]) };
//! assert_eq!(reply.message[0], 42);
//! ```
//!
//! # Safety of system calls
//!
//! A capability pointer is a number, and the label selects the invocation of the object. For
//! example, an invocation can set a TCB's registers, or discard cache lines with this program's
//! data. So every function that takes a capability pointer and a label is `unsafe`. The caller must
//! keep these conditions:
//!
//! 1. *The request does not break memory safety*, in this program or in another protection domain.
//!    For a kernel object, the seL4 manual describes the invocation with the label. For an
//!    endpoint, every receiver must expect the message. A reply object must hold a caller, or a
//!    fault of a thread that can soundly resume with the registers in this message. The caller must
//!    assume that the receiver uses the capabilities in the message in any possible way.
//! 2. *A reply fits the received message.* A receive with a reply object replaces the object's
//!    contents. Code that later sends to the reply object must know these contents. If the object
//!    holds a caller, any words are a valid reply. If the object holds a faulted thread, the words
//!    become registers of the thread.
//!
//! [`wait`], [`nb_wait`] and [`yield_`] are safe. The debug and benchmark calls that only print,
//! count or stop are also safe.
//!
//! # Kernel configuration
//!
//! The numbers of system calls and labels are those of one kernel configuration. The build script
//! reads these numbers from the Microkit SDK that `MICROKIT_SDK` names, for `MICROKIT_BOARD` and
//! `MICROKIT_CONFIG` ([`config::BOARD`], [`config::CONFIGURATION`]).
#![no_std]

#[cfg(not(target_os = "none"))]
extern crate std;

mod arch;
mod call;
mod ipc_buffer;
mod message_info;

#[cfg(not(target_os = "none"))]
pub use arch::host;
pub use call::{
    Received, benchmark_dump_all_thread_utilisation, benchmark_finalize_log,
    benchmark_get_thread_utilisation, benchmark_null_syscall,
    benchmark_reset_all_thread_utilisation, benchmark_reset_log,
    benchmark_reset_thread_utilisation, benchmark_set_log_buffer, call, call_empty, cycle_counter,
    debug_cap_identify, debug_dump_scheduler, debug_halt, debug_name_thread, debug_put_char,
    debug_snapshot, nb_recv, nb_send, nb_send_recv, nb_send_recv_empty, nb_send_wait, nb_wait,
    recv, reply_recv, send, send_empty, signal, wait, yield_,
};
pub use ipc_buffer::{IpcBuffer, IpcBufferToken, MAX_EXTRA_CAPS, MAX_MESSAGE_WORDS};
pub use message_info::MessageInfo;

// Exports the invocation labels as `invocation`, and as `invocation_label`, the rust-sel4 name.
pub use kernel::invocation as invocation_label;
pub use kernel::{config, fault, invocation, syscall, vcpu_register};

/// The machine word, `seL4_Word`: 64 bits.
pub type Word = u64;

/// A capability pointer, `seL4_CPtr`: a path to a slot of the thread's CSpace.
pub type CPtr = u64;

/// The number of message registers that travel in CPU registers (`seL4_FastMessageRegisters`).
pub const FAST_MESSAGE_REGISTERS: usize = 4;

/// The message registers that travel in CPU registers.
pub type FastMessage = [Word; FAST_MESSAGE_REGISTERS];

mod kernel {
    //! The constants of the kernel configuration, generated by the build script.
    include!(concat!(env!("OUT_DIR"), "/kernel.rs"));
}
