//! seL4's system calls for AArch64 (MCS), one function each, and the IPC buffer as a token.
//!
//! The kernel writes a thread's IPC buffer during a system call. A Rust reference to the buffer
//! that lives across such a call is undefined behaviour, and a release build will show it. So this
//! crate never hands out a reference that could: it holds the buffer as an [`IpcBufferToken`],
//! which lends views for a closure's time ([`IpcBufferToken::with`],
//! [`IpcBufferToken::with_mut`]), and every system call takes the token itself, mutably. A call
//! inside a view does not compile:
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
//! The first four message registers travel in CPU registers, as arguments and results here; a
//! message of at most four words touches no memory at all.
//!
//! # Safety of system calls
//!
//! A capability pointer is a number, and a label chooses what the object behind it does: a TCB
//! takes new registers, an address space drops cache lines that hold this program's data. So a call
//! that takes both is `unsafe`. The conditions that its caller must keep:
//!
//! 1. *What is asked breaks no memory*, neither of this program nor of another protection domain.
//!    For a kernel object, that is what the seL4 manual says of the invocation that the label
//!    names. For an endpoint, that every receiver expects such a message. For a reply object, that
//!    it holds a caller, or a fault of a thread that resumes soundly with the registers in this
//!    message. Capabilities that the message carries may be used by their receiver in any way.
//! 2. *A reply answers what was received.* Receiving with a reply object replaces what it holds.
//!    Code that sends to it later must know whether it holds a caller, which takes any words, or a
//!    thread that has faulted, which gets the words as registers.
//!
//! [`wait`], [`nb_wait`], [`yield_`], and the debug and benchmark calls that only print, count or
//! stop are safe.
//!
//! The numbers are those of one kernel configuration, read at build time from the Microkit SDK
//! that `MICROKIT_SDK` names, for `MICROKIT_BOARD` and `MICROKIT_CONFIG`
//! ([`config::BOARD`], [`config::CONFIGURATION`]).
//!
//! On a host, where there is no seL4, a call goes to the [`host::HostKernel`] that the thread has
//! installed, so that programs above this crate can be tested where they are written.
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

// The labels of invocations, by our name and by that of rust-sel4.
pub use kernel::invocation as invocation_label;
pub use kernel::{config, fault, invocation, syscall, vcpu_register};

/// The machine word, `seL4_Word`: 64 bits.
pub type Word = u64;

/// A capability pointer, `seL4_CPtr`: a path to a slot of the thread's CSpace.
pub type CPtr = u64;

/// How many message registers travel in CPU registers (`seL4_FastMessageRegisters`).
pub const FAST_MESSAGE_REGISTERS: usize = 4;

/// The message registers that travel in CPU registers.
pub type FastMessage = [Word; FAST_MESSAGE_REGISTERS];

mod kernel {
    //! What the build script read of the kernel configuration.
    include!(concat!(env!("OUT_DIR"), "/kernel.rs"));
}
