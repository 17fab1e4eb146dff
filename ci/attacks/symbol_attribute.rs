//! A program chooses the section of a system-file variable, so that the runtime would call its
//! value as a constructor.
//!
//! refused by the compiler: takes doc comments and no other attributes
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{NullHandler, protection_domain, var};

#[protection_domain]
fn init() -> NullHandler {
    let _ = var!(#[unsafe(link_section = ".init_array")] constructor: usize = 0x20_1234);
    NullHandler::new()
}
