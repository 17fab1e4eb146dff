//! The system file sets the symbol for the physical address to the address of another region.
//!
//! refused by check: uses `dma_paddr` and `dma` for one region
//| <memory_region name="dma" size="0x10000" />
//| <memory_region name="other" size="0x10000" />
//| <protection_domain name="pd" priority="100">
//|     <program_image path="region_dma_elsewhere.elf" />
//|     <map mr="dma" vaddr="0x4000000" perms="rw" setvar_vaddr="dma" setvar_size="dma_size" />
//|     <map mr="other" vaddr="0x5000000" perms="rw" />
//|     <setvar symbol="dma_paddr" region_paddr="other" />
//| </protection_domain>
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{NullHandler, dma_region, protection_domain};

#[protection_domain]
fn init() -> NullHandler {
    let _ = dma_region!(dma, dma_size, dma_paddr);
    NullHandler::new()
}
