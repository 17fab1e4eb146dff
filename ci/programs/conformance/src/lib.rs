//! The stage of the conformance systems: threads that make one system call at a time, and a log of
//! the effects. The log shows how the kernel behaves.
//!
//! Each of these systems has a *driver* and its children, the *puppets*. The program of a puppet
//! never runs. The driver stops the puppet, writes instructions to a page that the puppet can
//! execute, sets all its registers, and resumes it. Every such program ends with an undefined
//! instruction, whose fault returns control to the driver. Then the driver reads the registers. So
//! the driver chooses every input word of a system call and sees every output word. No compiled
//! code runs in between.
//!
//! The driver has the highest priority, and the puppet [`LAST`] the lowest. When `LAST` faults,
//! every other puppet is blocked. So nothing in the log depends on time.
//!
//! *Puppets*, in the SAFETY comments of this crate and of the drivers: a puppet runs only the few
//! instructions that the driver has written. These instructions rely on no contents of memory,
//! registers or capability slots. So no invocation on a puppet can break an invariant.
#![no_std]
#![allow(
    clippy::missing_panics_doc,
    reason = "a panic is how a test of the kernel fails"
)]

pub mod code;
mod event;
#[cfg(not(target_os = "none"))]
pub mod host;
mod puppet;
mod registers;
mod stage;

pub use event::{Event, show};
pub use puppet::{
    A, B, C, D, DRIVER_SC, DRIVER_TCB, LAST, Puppet, SHORT, SMALL, in_root, set_driver_priority,
};
pub use registers::{Registers, Words, info, status};
pub use stage::{CODE, DATA, Events, HOLE, SEALED, Stage};
