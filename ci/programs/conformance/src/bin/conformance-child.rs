//! The child of `conformance-passive`: faults as soon as it runs, and prints nothing.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{NullHandler, panicking, protection_domain};

#[protection_domain]
fn init() -> NullHandler {
    panicking::set_hook(&|_| ());
    panic!()
}
