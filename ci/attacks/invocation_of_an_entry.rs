//! A parent restarts a child at an address of its own choice.
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
