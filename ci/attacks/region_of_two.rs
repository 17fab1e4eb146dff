//! A program combines the address of one region with the size of another.
//!
//! refused by check: uses `big_size` and `small` for one region
//! the program refuses: reaches into another region of this program
//| <memory_region name="small" size="0x1000" />
//| <memory_region name="big" size="0x10000" />
//| <protection_domain name="pd" priority="100">
//|     <program_image path="region_of_two.elf" />
//|     <map mr="small" vaddr="0x4000000" perms="rw" setvar_vaddr="small" setvar_size="small_size" />
//|     <map mr="big" vaddr="0x4001000" perms="rw" setvar_vaddr="big" setvar_size="big_size" />
//| </protection_domain>
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{NullHandler, protection_domain, shared_words};

#[protection_domain]
fn init() -> NullHandler {
    let words = shared_words!(small, big_size);
    let other = shared_words!(big, small_size);
    let _ = (words, other);
    NullHandler::new()
}
