//! Memory for direct memory access (DMA) by devices.

use core::ptr::NonNull;

/// Takes a memory region for direct memory access (DMA) by a device, and returns a [`DmaRegion`].
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
/// **Rights:** a region of memory, not of a device, that this PD maps once and that no other PD can
/// write to. `cargo microkit check`, `build` and `run` check the system file for this rule. These
/// commands also check that the three symbols belong to one region. A DMA device writes to any
/// address that its driver sets. Without an IOMMU, the driver can therefore make the device
/// overwrite any memory.
///
/// # Panics
///
/// Panics in these cases:
///
/// * This macro call runs a second time: the region has one owner.
/// * The tool has not written the address, the size or the physical address.
#[macro_export]
macro_rules! dma_region {
    ($vaddr:ident, $size:ident, $paddr:ident $(,)?) => {{
        static TAKEN: ::core::sync::atomic::AtomicBool =
            ::core::sync::atomic::AtomicBool::new(false);
        let [vaddr, size, paddr] = $crate::__region!(Dma: $vaddr, $size, $paddr);
        // SAFETY: the tool has written the three values for one record, and the static belongs to
        // this macro call.
        unsafe { $crate::_private::dma(vaddr, size, paddr, &TAKEN) }
    }};
}

/// Memory for DMA with one owner. Only this program, and devices that receive the physical address
/// from this program, access the memory.
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
    /// 1. The memory must be readable and writable as long as the program runs. Nothing else in
    ///    this or another program may use the memory.
    /// 2. The memory must be physically contiguous, and must start at `physical_address`.
    pub const unsafe fn new(start: NonNull<u8>, size_bytes: usize, physical_address: u64) -> Self {
        Self {
            start,
            size_bytes,
            physical_address,
        }
    }

    /// Returns a pointer to the first byte of the region, for this program.
    pub const fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// Returns the size of the region.
    pub const fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// Returns the physical address of the first byte, for a device.
    pub const fn physical_address(&self) -> u64 {
        self.physical_address
    }
}
