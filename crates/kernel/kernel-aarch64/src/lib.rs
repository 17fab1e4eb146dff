//! The model kernel on hardware: `kernel-model` under a trap handler, on QEMU's `virt` machine.
//!
//! The kernel boots a Microkit system in the same way as seL4. The command of the Microkit manual
//! loads an image at one address, and enters the image at its first byte. This kernel is for
//! development. The kernel is not seL4 and is not verified. It prints this warning at boot.
//!
//! This library contains the logic that does not need the machine, so tests on a host can cover it:
//! the format of an [image](payload), the [memory map](layout), the [plan] of memory operations at
//! boot, the [address space](stage2) of a protection domain, the [control registers](registers),
//! and the [report] of a fault. The program of the same name (`src/metal`) applies this logic to
//! the machine.
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
