//! The memory for DMA is mapped a second time, as shared memory.
//!
//! refused by check: uses `dma` for DMA, alone, and it is mapped once more
//| <memory_region name="dma" size="0x10000" />
//| <memory_region name="other" size="0x10000" />
//| <protection_domain name="pd" priority="100">
//|     <program_image path="region_dma_shared.elf" />
//|     <map mr="dma" vaddr="0x4000000" perms="rw" setvar_vaddr="dma" setvar_size="dma_size" />
//|     <map mr="dma" vaddr="0x5000000" perms="rw" setvar_vaddr="words" setvar_size="words_size" />
//|     <setvar symbol="dma_paddr" region_paddr="dma" />
//| </protection_domain>
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{NullHandler, dma_region, protection_domain, shared_words};

#[protection_domain]
fn init() -> NullHandler {
    let dma = dma_region!(dma, dma_size, dma_paddr);
    let words = shared_words!(words, words_size);
    let _ = (dma, words);
    NullHandler::new()
}
