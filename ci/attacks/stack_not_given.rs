//! The system file gives a smaller stack than the program asks for.
//!
//! refused by check: asks for a stack of 65536 bytes, and gets 8192
//! the program refuses: read at 0xfffffee000, where nothing is mapped
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{NullHandler, debug_println, protection_domain};

#[protection_domain(stack_size = 64 * 1024)]
fn init() -> NullHandler {
    debug_println!("this is never printed");
    NullHandler::new()
}
