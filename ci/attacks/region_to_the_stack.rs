//! A program combines the address of a region just below its stack with the size of a larger
//! region.
//!
//! refused by check: uses `big_size` and `small` for one region
//! the program refuses: reaches into the stack, or the page below it
//| <memory_region name="small" size="0x1000" />
//| <memory_region name="big" size="0x10000" />
//| <protection_domain name="pd" priority="100">
//|     <program_image path="region_to_the_stack.elf" />
//|     <map mr="small" vaddr="0xffffffa000" perms="rw" setvar_vaddr="small" />
//|     <map mr="big" vaddr="0x4001000" perms="rw" setvar_size="big_size" />
//| </protection_domain>
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{NullHandler, protection_domain, shared_words};

#[protection_domain]
fn init() -> NullHandler {
    let _ = shared_words!(small, big_size);
    NullHandler::new()
}
