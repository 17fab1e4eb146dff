//! A program asks for a stack of 0 bytes.
//!
//! prints: it is enough
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{NullHandler, debug_println, protection_domain};

#[protection_domain(stack_size = 0)]
fn init() -> NullHandler {
    let page = core::hint::black_box([1_u8; 2048]);
    debug_println!("it is {}", if page[2047] == 1 { "enough" } else { "not enough" });
    NullHandler::new()
}
