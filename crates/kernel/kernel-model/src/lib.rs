//! An executable model of seL4 (16.0.0, MCS, AArch64, one processor) as a Microkit protection
//! domain (PD) sees it.
//!
//! A [`Kernel`] is made from a [`BootSpec`](boot_spec::BootSpec) and entered with an [`Event`]: a
//! system call, a fault, an interrupt, or the timer. Each entry is one [`step`](Kernel::step),
//! which returns what runs [next](Next). The kernel reaches the hardware through a [`Machine`]
//! only. So the same kernel runs on real hardware, under a trap handler, and in a test, under a
//! loop.
//!
//! It answers like seL4 in the `debug` configuration of the Microkit SDK 2.3.0 for
//! `qemu_virt_aarch64`. Each item names the part of seL4's manual or source that it follows.
//!
//! # Differences from seL4
//!
//! This is a model and not seL4: it is not verified, and it has only what a PD can reach. A PD can
//! see these differences:
//!
//! - seL4 takes some calls and replies through a fast path that does not read the clock. The model
//!   always reads it. So a thread whose budget is about to end may wait for its refill before its
//!   call instead of after it.
//! - In seL4, a PD with the thread capability of another PD can set hardware breakpoints and
//!   single-step that PD. Here `SetBreakpoint`, `GetBreakpoint`, `UnsetBreakpoint` and
//!   `ConfigureSingleStepping` are illegal operations.
//! - The monitor takes no time, and sends its messages as [`Report`]s.
//! - seL4 prints a line for each invocation that fails. The model does not.
//! - seL4 maintains no cache for a range of one byte. The model does.
//! - seL4 faults if a thread without an IPC buffer names a thread. The model halts.
//! - PDs with virtual machines, I/O ports, `smc` or their own scheduling domain do not exist; nor
//!   does a second processor.
//!
//! What no PD can reach is left out. Capabilities cannot be copied, moved or deleted. Scheduling
//! contexts cannot be configured, and are never sporadic in seL4's sense. No object is created or
//! destroyed after boot.
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
//! A module calls those below it; `ipc` and `notification` also call each other. Each of `sched`,
//! `ipc`, `notification` and `irq` has its part of the state in private fields, and a function's
//! parameters name every part that it may change.
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
