//! A child whose program never runs: its parent stops it first and gives it other instructions.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{NullHandler, protection_domain, restart_reply};

#[protection_domain]
fn init() -> NullHandler {
    // This statement only adds the record that `check` requires. After a restart, the parent itself
    // handles the callers of the puppet.
    let _ = restart_reply!(0);
    panic!("the parent has not stopped this puppet in time")
}
