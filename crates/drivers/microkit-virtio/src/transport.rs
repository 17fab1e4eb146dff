//! Finds a virtio device in a slot.
//!
//! QEMU's `virt` machine has 32 slots of 512 bytes, starting at 0xa000000. A page has eight slots,
//! and the interrupts start at 48. The first `-device virtio-…-device` is in the last slot (QEMU's
//! `hw/arm/virt.c`).

use safe_mmio::split_fields;
use sel4_microkit::DeviceRegion;
use virtio_drivers::transport::mmio::{MmioError, MmioTransport, VirtIOHeader};

/// The number of slots in a page of 4 KiB.
pub const SLOTS_PER_PAGE: usize = 8;

/// The registers of one device (*Virtual I/O Device (VIRTIO) Version 1.2*, 4.2.2).
#[derive(Debug)]
#[repr(C)]
pub struct Slot {
    header: VirtIOHeader,
    config: [u8; CONFIG_BYTES],
}

const CONFIG_BYTES: usize = 0x100;

const _: () = assert!(size_of::<Slot>() * SLOTS_PER_PAGE == 4096);

/// A virtio device that has been found but not started.
///
/// Safe code cannot access the device's registers: a write there selects the memory that the device
/// reads and writes.
#[derive(Debug)]
pub struct VirtioTransport(MmioTransport<'static>);

impl VirtioTransport {
    /// Returns the transport, for a driver of `virtio-drivers`.
    ///
    /// # Safety
    ///
    /// Only drivers with [`Hal`](crate::Hal) may call transport methods that take physical
    /// addresses. These methods are safe functions, but the device reads and writes at the
    /// addresses.
    pub unsafe fn into_inner(self) -> MmioTransport<'static> {
        self.0
    }

    pub(crate) fn for_block_device(self) -> MmioTransport<'static> {
        self.0
    }
}

/// Returns the device in a slot.
///
/// # Errors
///
/// Returns an error if the slot has no device, or a device of an unknown kind.
///
/// # Panics
///
/// Panics if `index` is not a slot of `slots`.
pub fn transport<const N: usize>(
    slots: DeviceRegion<[Slot; N]>,
    index: usize,
) -> Result<VirtioTransport, MmioError> {
    let Some(slot) = slots.take(index) else {
        panic!("there is no slot {index}: the region has {N}, from 0");
    };
    // SAFETY: 1. `MmioTransport` keeps its pointers private, and accesses registers by `field!`
    //    with the registers' own fields. Safe code cannot get the transport.
    // 2. Each field is named once (invariant 6).
    let (header, config) = unsafe {
        let slot = slot.into_unique_mmio_pointer();
        split_fields!(slot, header, config)
    };
    MmioTransport::new_from_unique(header, config.into()).map(VirtioTransport)
}
