//! A child is restarted at an address of one's own.
//!
//! refused by the compiler: expected `EntryPoint`, found integer
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{Child, NullHandler, protection_domain};

#[protection_domain]
fn init() -> NullHandler {
    let _ = Child::new(1).restart(0x20_1236);
    NullHandler::new()
}
