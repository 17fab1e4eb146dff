//! A variable of the system file has the name of a function that the compiler calls.
//!
//! prints: filled 4096 bytes, and memset is 1000
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{NullHandler, debug_println, protection_domain, var};

#[protection_domain]
fn init() -> NullHandler {
    let memset = *var!(memset: usize = 1000);
    let length = core::hint::black_box(4096);
    let mut bytes = [0_u8; 4096];
    bytes[..length].fill(7);
    let filled = core::hint::black_box(&bytes).iter().filter(|byte| **byte == 7).count();
    debug_println!("filled {filled} bytes, and memset is {memset}");
    NullHandler::new()
}
