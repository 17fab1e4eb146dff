//! The heap, from which boot allocates page tables and kernel objects.

use core::ptr::with_exposed_provenance_mut;
use kernel_aarch64::layout::HEAP;
use linked_list_allocator::LockedHeap;

#[global_allocator]
static ALLOCATOR: LockedHeap = LockedHeap::empty();

/// Initialises the heap.
///
/// # Safety
///
/// The caller must call this function only once, with the MMU on.
pub(super) unsafe fn init() {
    let start = with_exposed_provenance_mut(HEAP.start as usize);
    let bytes = (HEAP.end - HEAP.start) as usize;
    // SAFETY: 1. This memory exists, is mapped as normal memory, and belongs to the kernel: the
    // image ends before the heap (`payload`), and no PD maps the heap (`plan`). 2. The caller
    // promises that this is the first call.
    unsafe { ALLOCATOR.lock().init(start, bytes) }
}
