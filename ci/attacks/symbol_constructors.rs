//! Two system-file variables have the names of the linker symbols for the constructor array.
//!
//! prints: initialised with 1 and 2
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{NullHandler, debug_println, protection_domain, var};

#[protection_domain]
fn init() -> NullHandler {
    let start = *var!(__init_array_start: usize = 1);
    let end = *var!(__init_array_end: usize = 2);
    debug_println!("initialised with {start} and {end}");
    NullHandler::new()
}
