//! Another PD may write to the memory for DMA.
//!
//! refused by check: uses `dma` for DMA, alone, and it is mapped once more
//| <memory_region name="dma" size="0x10000" />
//| <memory_region name="other" size="0x10000" />
//| <protection_domain name="pd" priority="100">
//|     <program_image path="region_dma_of_two.elf" />
//|     <map mr="dma" vaddr="0x4000000" perms="rw" setvar_vaddr="dma" setvar_size="dma_size" />
//|     <setvar symbol="dma_paddr" region_paddr="dma" />
//| </protection_domain>
//| <protection_domain name="other" priority="90">
//|     <program_image path="stack_of_any_size.elf" />
//|     <map mr="dma" vaddr="0x4000000" perms="rw" />
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
