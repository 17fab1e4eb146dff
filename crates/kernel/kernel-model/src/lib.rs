//! An executable model of seL4 (16.0.0, MCS, AArch64, one processor) from the view of a Microkit
//! protection domain (PD).
//!
//! A [`Kernel`] is created from a [`BootSpec`](boot_spec::BootSpec) and entered with an [`Event`]:
//! a system call, a fault, an interrupt, or the timer. Each entry is one [`step`](Kernel::step),
//! which returns the thread that runs [next](Next). The kernel reaches the hardware only through a
//! [`Machine`]. So the same kernel runs under a trap handler on real hardware, and under a loop in
//! a test.
//!
//! The model answers like seL4 in the `debug` configuration of the Microkit SDK 2.3.0 for
//! `qemu_virt_aarch64`. Each item names the part of seL4's manual or source that it follows.
//!
//! # Differences from seL4
//!
//! The model is not seL4. The model is not verified, and has only the parts that a PD can reach. A
//! PD can see these differences:
//!
//! - seL4 takes some calls and replies through a fast path that does not read the clock. The model
//!   always reads the clock. So a thread with little remaining budget may wait for a refill before
//!   its call, instead of after the call.
//! - In seL4, a PD with the thread capability of another PD can set hardware breakpoints and
//!   single-step that PD. In the model, `SetBreakpoint`, `GetBreakpoint`, `UnsetBreakpoint` and
//!   `ConfigureSingleStepping` are illegal operations.
//! - The monitor takes no time, and sends its messages as [`Report`]s.
//! - seL4 prints a line for each invocation that fails. The model prints nothing.
//! - seL4 does no cache maintenance for a range of one byte. The model does.
//! - If a thread without an IPC buffer names a thread, seL4 itself faults. The model halts.
//! - The model has no virtual machines, no I/O ports and no `smc`. The model has only one
//!   scheduling domain and only one processor.
//!
//! The model omits all functions that no PD can reach. Capabilities cannot be copied, moved or
//! deleted. Scheduling contexts cannot be configured, and are never sporadic in seL4's sense. No
//! object is created or destroyed after boot.
//!
//! # Modules
//!
//! ```text
//!                 kernel            the dispatcher: the only module that has all of the state
//!                   │
//!       ┌───────────┼───────────┐
//!    invoke      control     monitor
//!       └───────────┼───────────┘
//!       ┌───────────┼───────────┐
//!      irq     notification    ipc
//!                   └─────┬─────┘
//!                 ┌───────┴──────┐
//!               sched        messages
//! ```
//!
//! A module calls the modules below it. In addition, `ipc` and `notification` call each other.
//! `sched`, `ipc`, `notification` and `irq` keep their parts of the state in private fields. The
//! parameters of a function name every part that it may change.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod cap;
mod clock;
mod context;
mod control;
mod cspace;
mod error;
mod event;
mod fault;
mod ids;
mod invoke;
mod ipc;
mod irq;
mod kernel;
mod machine;
mod message_info;
mod messages;
mod monitor;
mod notification;
pub mod numbers;
mod sched;
mod system;

pub use cap::{CNodeCap, Cap, EndpointCap, NotificationCap};
pub use clock::{Clock, Ticks};
pub use context::{
    BADGE_REGISTER, CAP_REGISTER, CONTEXT_REGISTERS, FRAME_REGISTERS, INFO_REGISTER,
    INTEGER_REGISTERS, MESSAGE_REGISTERS, NB_SEND_RECV_DEST, REPLY_REGISTER, Register,
    TIMEOUT_REPLY_REGISTERS, UNKNOWN_SYSCALL_REGISTERS, USER_EXCEPTION_REGISTERS, UserContext,
};
pub use cspace::LookupFailure;
pub use error::InvocationError;
pub use event::{Event, Next};
pub use fault::Fault;
pub use ids::{EndpointId, IrqId, NotificationId, ReplyId, SchedContextId, ThreadId};
pub use ipc::{Above, Endpoint, Reply};
pub use irq::{Irq, IrqHandler};
pub use kernel::{Broken, Kernel};
pub use machine::{
    CacheMaintenance, CacheRange, HaltReason, MONITOR_WORDS, Machine, MonitorFault, Report,
};
pub use message_info::MessageInfo;
pub use notification::{Notification, NotificationState};
pub use sched::{Queue, Refill, Refills, SchedContext, Thread, ThreadState};
pub use system::SystemError;
