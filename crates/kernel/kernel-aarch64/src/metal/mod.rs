//! What is done to the machine. It starts in [`boot`], goes on in [`start`], and ends up in
//! [`run`], whose loop it never leaves.

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
