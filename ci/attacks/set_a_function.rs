//! The system file sets a symbol that is not a variable of the program.
//!
//! refused by check: has no variable `sel4_microkit_stack_bytes` that the system file may set
//| <memory_region name="ring" size="0x1000" />
//| <protection_domain name="pd" priority="100">
//|     <program_image path="set_a_function.elf" />
//|     <map mr="ring" vaddr="0x4000000" perms="rw" setvar_vaddr="sel4_microkit_stack_bytes" />
//| </protection_domain>
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{NullHandler, protection_domain};

#[protection_domain]
fn init() -> NullHandler {

    NullHandler::new()
}
