//! Prints one line and then waits forever. A `NullHandler` handles no event.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use sel4_microkit::{NullHandler, protection_domain};

#[protection_domain]
fn init() -> NullHandler {
    println!("hello, world");
    NullHandler::new()
}
