//! Never runs: its parent stops it first, and gives it other instructions.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{NullHandler, protection_domain};

#[protection_domain]
fn init() -> NullHandler {
    panic!("the driver has not stopped this puppet before it could run")
}
