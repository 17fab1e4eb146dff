//! The system file sets the symbol for the physical address to a virtual address.
//!
//! refused by check: uses `other` and `dma` for one region
//| <memory_region name="dma" size="0x10000" />
//| <memory_region name="other" size="0x10000" />
//| <protection_domain name="pd" priority="100">
//|     <program_image path="region_dma_virtual.elf" />
//|     <map mr="dma" vaddr="0x4000000" perms="rw" setvar_vaddr="dma" setvar_size="dma_size" />
//|     <map mr="other" vaddr="0x5000000" perms="rw" setvar_vaddr="other" />
//| </protection_domain>
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{NullHandler, dma_region, protection_domain};

#[protection_domain]
fn init() -> NullHandler {
    let _ = dma_region!(dma, dma_size, other);
    NullHandler::new()
}
