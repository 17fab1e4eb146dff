//! Threads that do one thing at a time, and a record of what became of it: for the conformance
//! systems, whose log says how the kernel behaves.
//!
//! Each of these systems has a *driver*, and *puppets*, its children. The program of a puppet
//! never runs. The driver has stopped it, writes instructions into a page that it can execute, sets
//! all its registers, and lets it go; the undefined instruction at the end of every program brings
//! it back as a fault, and the driver reads its registers. So every word that goes into a system
//! call is given, and every one that comes out is seen, with no code of a compiler between.
//!
//! The driver has the highest priority, and the puppet [`LAST`] the lowest: when that one faults,
//! every other one waits for something. So nothing in the log depends on time.
//!
//! *Puppets*, in the SAFETY comments of this crate and of the drivers: no program runs in a puppet
//! but the few instructions that the driver has given it, and no instruction of theirs relies on
//! memory, on a register or on a capability to be anything. So nothing that is done to a puppet
//! breaks anything.
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
