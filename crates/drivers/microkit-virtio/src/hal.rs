//! The interface through which `virtio-drivers` allocates memory.

use core::cell::RefCell;
use core::ptr::NonNull;
use sel4_microkit::DmaRegion;
use virtio_drivers::{BufferDirection, PhysAddr};

use crate::pool::Pool;

sel4::static_of_the_thread! {
    static POOL: RefCell<Option<Pool>> = RefCell::new(None);
}

/// Sets the memory for the drivers of `virtio-drivers` that use [`Hal`].
/// [`BlockDevice`](crate::BlockDevice) has separate memory.
///
/// # Panics
///
/// Panics if called twice, or if the region has fewer than two whole pages.
///
/// # Safety
///
/// 1. The devices of these drivers must follow the virtio specification: `virtio-drivers` trusts a
///    device's report of completed requests, and returns the buffers of these requests to the
///    program.
/// 2. Only these drivers may call transport methods that take physical addresses.
pub unsafe fn give_memory(region: DmaRegion) {
    POOL.with(|pool| {
        let before = pool.borrow_mut().replace(Pool::new(region));
        assert!(before.is_none(), "virtio drivers have their memory already");
    });
}

/// Allocates `count` zeroed pages, if enough pages are left.
fn give_pages(count: usize) -> Option<(u64, NonNull<u8>)> {
    POOL.with(|pool| pool.borrow_mut().as_mut()?.give_pages(count))
}

/// Implements the trait `Hal` of `virtio-drivers` with the memory of [`give_memory`]. Without a
/// call of `give_memory`, the drivers report that memory for DMA is missing.
///
/// Memory that a driver frees is not allocated again.
#[derive(Debug)]
pub enum Hal {}

// SAFETY: 1. `dma_alloc` returns zeroed pages of a `DmaRegion`, and returns each page only once
//    (invariants 1 and 2).
// 2. No physical address is converted to a virtual address.
unsafe impl virtio_drivers::Hal for Hal {
    fn dma_alloc(pages: usize, _: BufferDirection) -> (PhysAddr, NonNull<u8>) {
        // The address 0 reports that no memory is left.
        give_pages(pages).unwrap_or((0, NonNull::dangling()))
    }

    unsafe fn dma_dealloc(_: PhysAddr, _: NonNull<u8>, _: usize) -> i32 {
        0
    }

    unsafe fn mmio_phys_to_virt(address: PhysAddr, _: usize) -> NonNull<u8> {
        panic!("the registers at {address:#x} are not mapped: only MMIO transports are supported")
    }

    unsafe fn share(buffer: NonNull<[u8]>, direction: BufferDirection) -> PhysAddr {
        with_pool(|pool| {
            // SAFETY: the caller promises that the buffer is valid.
            unsafe { pool.share(buffer, direction) }
        })
    }

    unsafe fn unshare(address: PhysAddr, buffer: NonNull<[u8]>, direction: BufferDirection) {
        with_pool(|pool| {
            // SAFETY: the caller promises that the buffer is valid, that `share` has returned the
            // address for the buffer, and that the device no longer uses the address.
            unsafe { pool.unshare(address, buffer, direction) }
        });
    }
}

fn with_pool<R>(f: impl FnOnce(&mut Pool) -> R) -> R {
    POOL.with(|pool| match pool.borrow_mut().as_mut() {
        Some(pool) => f(pool),
        None => unreachable!("a driver has a queue, for which it was given memory"),
    })
}
