//! A thread's static chooses the name of its symbol.
//!
//! refused by the compiler: no rules expected
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{NullHandler, protection_domain};

sel4::static_of_the_thread! {
    #[unsafe(export_name = "memset")]
    static MINE: usize = 0;
}

#[protection_domain]
fn init() -> NullHandler {
    MINE.with(|_| ());
    NullHandler::new()
}
