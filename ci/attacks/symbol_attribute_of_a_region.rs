//! A memory region chooses the name of its symbol.
//!
//! refused by the compiler: no rules expected
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{NullHandler, memory_region_symbol, protection_domain};

#[protection_domain]
fn init() -> NullHandler {
    let _ = memory_region_symbol!(#[unsafe(export_name = "memcpy")] region: *mut u8);
    NullHandler::new()
}
