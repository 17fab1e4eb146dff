//! The model kernel on the metal: `kernel-model` under a trap handler, on QEMU's `virt` machine.
//!
//! It boots Microkit systems as seL4 does there, from an image that is loaded at one address and
//! entered at its first byte, with the command of the Microkit manual. It is for development; it is
//! not seL4, not verified, and says so when it boots.
//!
//! This library is what the kernel decides without touching the machine: how an
//! [image](payload) is laid out, which [memory](layout) belongs to whom, what a protection domain's
//! [address space](stage2) and a [control register](registers) hold, and how a fault is
//! [reported](report). All of it runs on a host too, where it is tested. The program of the same
//! name does what it says to the machine, in `src/metal`.
//!
//! Invariant: only [`stage2`] and `src/metal` have `unsafe` code.
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

pub mod layout;
pub mod payload;
pub mod plan;
pub mod registers;
pub mod report;
pub mod snapshot;
#[expect(unsafe_code, reason = "the source of its tables is an unsafe trait's")]
pub mod stage2;
pub mod syndrome;
