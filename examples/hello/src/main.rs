//! Says hello.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{NullHandler, debug_println, protection_domain};

#[protection_domain]
fn init() -> NullHandler {
    debug_println!("hello, world");
    NullHandler::new()
}
