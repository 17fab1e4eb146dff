//! An executable model of seL4 (16.0.0, MCS, AArch64, one processor) as a Microkit protection
//! domain (PD) sees it.
//!
//! A [`Kernel`] is made from a [`BootSpec`](boot_spec::BootSpec) and entered with [`Event`]s:
//! system calls, faults, interrupts, the timer. Each entry is one [`step`](Kernel::step), which
//! says what runs [next](Next). What it needs of the machine it runs on, it asks of a [`Machine`].
//! So the same kernel can run on real hardware, under a trap handler, and in a test, under a loop.
//!
//! It answers as seL4 does in the `debug` configuration of the Microkit SDK 2.3.0 for
//! `qemu_virt_aarch64`. Each item names the part of seL4's manual or source whose behaviour it has.
//! It is a model and not seL4: it is not verified, and it has only what a PD can reach. What a PD
//! could see that is different:
//!
//! - seL4 takes some calls and replies through a fast path, which does not look at the clock. Here
//!   each looks at it, so a thread whose budget is about to end may have to wait for more before
//!   its call and not after.
//! - seL4 lets a PD that has another's thread capability set hardware breakpoints and single-step
//!   it; here `SetBreakpoint`, `GetBreakpoint`, `UnsetBreakpoint` and `ConfigureSingleStepping` are
//!   illegal operations.
//! - The monitor takes no time, and says what it has to say in [`Report`]s.
//! - seL4 prints what it makes of wrong invocations; this does not.
//! - seL4 maintains no cache for a range of one byte; this does.
//! - Naming a thread from one that has no IPC buffer makes seL4 fault; this halts.
//! - PDs with virtual machines, I/O ports, `smc` or a scheduling domain of their own do not exist,
//!   nor does a second processor.
//!
//! What no PD can reach is left out: capabilities cannot be copied, moved or deleted, scheduling
//! contexts cannot be configured and are never sporadic in seL4's sense, and no object is ever
//! created or destroyed.
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
