//! Never runs: its parent stops it first, and gives it other instructions.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{NullHandler, protection_domain, restart_reply};

#[protection_domain]
fn init() -> NullHandler {
    // For the record alone, which `check` looks for: the parent knows who waits for the puppet.
    let _ = restart_reply!(0);
    panic!("its parent has not stopped this puppet before it could run")
}
