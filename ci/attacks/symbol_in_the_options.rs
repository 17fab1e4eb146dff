//! An option of the program contains unsafe code instead of a number.
//!
//! refused by the compiler: declaration of an `unsafe` function
//! refused by the compiler: usage of an `unsafe` block
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{NullHandler, protection_domain};

#[protection_domain(stack_size = {
    unsafe fn any() {}
    unsafe { any() };
    4096
})]
fn init() -> NullHandler {
    NullHandler::new()
}
