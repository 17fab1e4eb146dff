//! A program asks for more stack than a system file can give.
//!
//! refused by the compiler: a system file gives a stack of 16 MiB at most
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{NullHandler, protection_domain};

#[protection_domain(stack_size = usize::MAX)]
fn init() -> NullHandler {
    NullHandler::new()
}
