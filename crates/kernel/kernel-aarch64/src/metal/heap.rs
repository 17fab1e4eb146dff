//! The heap: from it comes what boot makes, all of which stays.

use core::ptr::with_exposed_provenance_mut;
use kernel_aarch64::layout::HEAP;
use linked_list_allocator::LockedHeap;

#[global_allocator]
static ALLOCATOR: LockedHeap = LockedHeap::empty();

/// Makes the heap.
///
/// # Safety
///
/// To be called once, after the MMU is on.
pub(super) unsafe fn init() {
    let start = with_exposed_provenance_mut(HEAP.start as usize);
    let bytes = (HEAP.end - HEAP.start) as usize;
    // SAFETY: 1. This memory is there, is mapped as normal memory, and is the kernel's: the image
    // ends before it (`payload`), and no PD maps it (`plan`). 2. The caller promises that this is
    // the first time.
    unsafe { ALLOCATOR.lock().init(start, bytes) }
}
