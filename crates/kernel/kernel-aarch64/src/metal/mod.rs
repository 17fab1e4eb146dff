//! The part of the kernel that accesses the machine. Control flows in this order:
//!
//! ```text
//! boot    the first instructions, in assembly
//! start   from an image in memory to a system that runs
//! run     the loop: user::run enters a PD, kernel-model takes a step. It never ends.
//! ```
//!
//! Each of the other modules implements one device or one part of the processor.

mod board;
mod boot;
mod console;
mod cpu;
mod gic;
mod halt;
mod heap;
mod memory;
mod mmu;
mod power_button;
mod run;
mod snapshot;
mod start;
mod timer;
mod user;
