//! A program swaps the symbols of the address and the size.
//!
//! refused by check: uses `ring_size` as the address of a memory region, but it is not one
//! the program refuses: reaches into this program
//| <memory_region name="ring" size="0x200000" />
//| <protection_domain name="pd" priority="100">
//|     <program_image path="region_swapped.elf" />
//|     <map mr="ring" vaddr="0x4000000" perms="rw" setvar_vaddr="ring" setvar_size="ring_size" />
//| </protection_domain>
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{NullHandler, protection_domain, shared_words};

#[protection_domain]
fn init() -> NullHandler {
    let _ = shared_words!(ring_size, ring);
    NullHandler::new()
}
