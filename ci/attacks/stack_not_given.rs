//! The system file gives less stack than the program asks for.
//!
//! refused by check: asks for a stack of 65536 bytes, and gets 8192
//! the program refuses: a fault at 0xfffffee000
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{NullHandler, debug_println, protection_domain};

#[protection_domain(stack_size = 64 * 1024)]
fn init() -> NullHandler {
    debug_println!("never comes here");
    NullHandler::new()
}
