//! The model kernel on the metal: `kernel-model` under a trap handler, on QEMU's `virt` machine.
//!
//! It boots Microkit systems as seL4 does there: an image is loaded at one address and entered at
//! its first byte, with the command of the Microkit manual. It is for development. It is not seL4
//! and not verified, and prints so when it boots.
//!
//! This library holds the decisions that do not need the machine, so that they are tested on a
//! host: the format of an [image](payload), the [memory map](layout), the [plan] of what boot does
//! to memory, the [address space](stage2) of a protection domain, the [control
//! registers](registers), and the [report] of a fault. The program of the same name
//! (`src/metal`) applies them to the machine.
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
#[expect(
    unsafe_code,
    reason = "`Translation`, which allocates its tables, has an unsafe method"
)]
pub mod stage2;
pub mod syndrome;
