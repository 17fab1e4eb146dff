//! Memory that a device reads and writes.

use core::ptr::NonNull;

/// Takes a memory region for a device's direct memory access (DMA): a [`DmaRegion`].
///
/// ```no_run
/// use sel4_microkit::{DmaRegion, dma_region};
///
/// // <memory_region name="dma" size="0x10000" />
/// // <protection_domain …>
/// //     <map mr="dma" vaddr="0x5000000" perms="rw" setvar_vaddr="dma" setvar_size="dma_size" />
/// //     <setvar symbol="dma_paddr" region_paddr="dma" />
/// let dma: DmaRegion = dma_region!(dma, dma_size, dma_paddr);
/// ```
///
/// **Rights:** a region of memory, not of a device, that this protection domain maps once and no
/// other can write. `cargo microkit check`, `build` and `run` check that in the system file, and
/// that the three symbols are of this region. A device writes to any address that its driver names.
/// Without an IOMMU, the driver of such a device is trusted with all memory.
///
/// # Panics
///
/// Panics if this place runs twice, because the region has one owner, and if the tool has written
/// no address, no size or no physical address.
#[macro_export]
macro_rules! dma_region {
    ($vaddr:ident, $size:ident, $paddr:ident $(,)?) => {{
        static TAKEN: ::core::sync::atomic::AtomicBool =
            ::core::sync::atomic::AtomicBool::new(false);
        let [vaddr, size, paddr] = $crate::__region!(Dma: $vaddr, $size, $paddr);
        // SAFETY: the three are what the tool has written for one record, and the static is this
        // place's.
        unsafe { $crate::_private::dma(vaddr, size, paddr, &TAKEN) }
    }};
}

/// Memory that this program has for itself, except for a device to which it names the physical
/// address.
#[derive(Debug)]
pub struct DmaRegion {
    start: NonNull<u8>,
    size_bytes: usize,
    physical_address: u64,
}

impl DmaRegion {
    /// Makes a region of memory.
    ///
    /// # Safety
    ///
    /// 1. The memory can be read and written as long as the program runs, and nothing else of this
    ///    program, nor any other program, uses it.
    /// 2. It is contiguous at that physical address.
    pub const unsafe fn new(start: NonNull<u8>, size_bytes: usize, physical_address: u64) -> Self {
        Self {
            start,
            size_bytes,
            physical_address,
        }
    }

    /// Returns its first byte, for this program.
    pub const fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// Returns its size.
    pub const fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// Returns its first address, for a device.
    pub const fn physical_address(&self) -> u64 {
        self.physical_address
    }
}
