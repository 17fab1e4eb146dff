//! The system file maps a region to the guard page below the stack.
//!
//! refused by check: so that nothing would stop the stack of `pd` there
//| <memory_region name="ring" size="0x1000" />
//| <protection_domain name="pd" priority="100">
//|     <program_image path="stack_without_a_guard.elf" />
//|     <map mr="ring" vaddr="0xffffffb000" perms="rw" />
//| </protection_domain>
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{NullHandler, protection_domain};

#[protection_domain]
fn init() -> NullHandler {

    NullHandler::new()
}
