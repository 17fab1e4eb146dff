//! The heap of a PD with `heap_size`.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::{Cell, RefCell, UnsafeCell};

use dlmalloc::{Allocator, Dlmalloc};

/// A heap of `BYTES` bytes, managed by `dlmalloc`, for a program with one thread.
///
/// An allocation that does not fit returns null. The crate `alloc` then panics, and the panic
/// message gives the size of the allocation.
#[doc(hidden)]
pub struct Heap<const BYTES: usize> {
    dlmalloc: RefCell<Dlmalloc<Arena<BYTES>>>,
}

/// The unit of `dlmalloc`'s memory requests, in bytes: the smallest unit that `dlmalloc` accepts.
const GRANULARITY: usize = 2 * size_of::<usize>();

impl<const BYTES: usize> Heap<BYTES> {
    /// Makes a heap. The heap takes no space in the ELF file.
    ///
    /// # Panics
    ///
    /// Panics if `dlmalloc` refuses the granularity.
    ///
    /// # Safety
    ///
    /// No other heap may use the memory.
    pub const unsafe fn new(memory: &'static HeapMemory<BYTES>) -> Self {
        let arena = Arena {
            memory,
            taken: Cell::new(false),
        };
        let mut dlmalloc = Dlmalloc::new_with_allocator(arena);
        // The default granularity is 64 KiB. With that granularity, a smaller heap could not
        // satisfy any request.
        assert!(dlmalloc.set_granularity(GRANULARITY));
        Self {
            dlmalloc: RefCell::new(dlmalloc),
        }
    }
}

// SAFETY: 1. `Dlmalloc` keeps the contract of an allocator: blocks do not overlap, and have the
//    requested size and alignment.
// 2. Calls are never nested: there is one thread, and `Arena` allocates nothing. A nested call
//    would panic in `borrow_mut`.
unsafe impl<const BYTES: usize> GlobalAlloc for Heap<BYTES> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract includes the contract of `malloc`.
        unsafe {
            self.dlmalloc
                .borrow_mut()
                .malloc(layout.size(), layout.align())
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract includes the contract of `calloc`.
        unsafe {
            self.dlmalloc
                .borrow_mut()
                .calloc(layout.size(), layout.align())
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract includes the contract of `free`.
        unsafe {
            self.dlmalloc
                .borrow_mut()
                .free(block, layout.size(), layout.align())
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let (old, align) = (layout.size(), layout.align());
        // SAFETY: the caller's contract includes the contract of `realloc`.
        unsafe { self.dlmalloc.borrow_mut().realloc(block, old, align, size) }
    }
}

/// The memory of a heap, in a static.
#[doc(hidden)]
#[repr(C, align(4096))]
pub struct HeapMemory<const BYTES: usize>(UnsafeCell<[u8; BYTES]>);

impl<const BYTES: usize> HeapMemory<BYTES> {
    /// Makes the memory, filled with zeros.
    #[allow(clippy::new_without_default)] // Used only for statics.
    pub const fn new() -> Self {
        Self(UnsafeCell::new([0; BYTES]))
    }
}

// SAFETY: only the heap's blocks refer to this memory, and each block has one owner.
unsafe impl<const BYTES: usize> Sync for HeapMemory<BYTES> {}

/// Provides the whole memory to `Dlmalloc` once, in whole granules. `Dlmalloc` writes to the last
/// word of the memory, and assumes that the word is aligned.
struct Arena<const BYTES: usize> {
    memory: &'static HeapMemory<BYTES>,
    taken: Cell<bool>,
}

impl<const BYTES: usize> Arena<BYTES> {
    /// The size of the memory, rounded down to whole granules.
    const USED_BYTES: usize = BYTES - BYTES % GRANULARITY;
}

// SAFETY: 1. The memory is in a static, belongs to no other heap (`Heap::new`), and is returned
//    once.
// 2. The memory is aligned as `Dlmalloc` requires, at its start and its end, and has at least the
//    requested size.
// 3. `Arena` never reuses or frees the memory.
unsafe impl<const BYTES: usize> Allocator for Arena<BYTES> {
    fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
        if size <= Self::USED_BYTES && !self.taken.replace(true) {
            (self.memory.0.get().cast(), Self::USED_BYTES, 0)
        } else {
            (core::ptr::null_mut(), 0, 0)
        }
    }

    fn remap(&self, _: *mut u8, _: usize, _: usize, _: bool) -> *mut u8 {
        core::ptr::null_mut()
    }

    fn free_part(&self, _: *mut u8, _: usize, _: usize) -> bool {
        false
    }

    fn free(&self, _: *mut u8, _: usize) -> bool {
        false
    }

    fn can_release_part(&self, _: u32) -> bool {
        false
    }

    fn allocates_zeros(&self) -> bool {
        true
    }

    fn page_size(&self) -> usize {
        4096
    }
}

#[cfg(test)]
mod tests {
    use std::boxed::Box;

    use super::*;

    fn heap<const BYTES: usize>() -> Heap<BYTES> {
        let memory = Box::leak(Box::new(HeapMemory::new()));
        // SAFETY: the memory is new, so no other heap uses the memory.
        unsafe { Heap::new(memory) }
    }

    fn layout(bytes: usize, align: usize) -> Layout {
        Layout::from_size_align(bytes, align).expect("it is one")
    }

    #[test]
    fn a_small_heap_gives_most_of_what_it_has() {
        const BYTES: usize = 4096;
        let heap = heap::<BYTES>();
        let layout = |bytes| layout(bytes, 8);
        // SAFETY: 1. No size is zero. 2. Every freed block was allocated with the same layout.
        unsafe {
            assert!(heap.alloc(layout(BYTES)).is_null());
            let block = heap.alloc(layout(BYTES * 7 / 8));
            assert!(!block.is_null());
            assert!(heap.alloc(layout(BYTES / 4)).is_null());
            heap.dealloc(block, layout(BYTES * 7 / 8));
            assert!(!heap.alloc(layout(BYTES / 4)).is_null());
        }
    }

    /// Allocates up to six blocks, writes to every byte of each block, and frees the blocks.
    fn use_up<const BYTES: usize>() -> usize {
        let heap = heap::<BYTES>();
        let mut blocks = std::vec::Vec::new();
        for (bytes, align) in [(1, 1), (24, 8), (40, 64), (100, 16), (7, 1), (300, 4)] {
            let layout = layout(bytes, align);
            // SAFETY: no size is zero, and every block is freed with the layout of its allocation.
            unsafe {
                let block = heap.alloc(layout);
                if !block.is_null() {
                    assert!(block.addr().is_multiple_of(align));
                    block.write_bytes(0xa5, bytes);
                    blocks.push((block, layout));
                }
            }
        }
        let count = blocks.len();
        for (block, layout) in blocks {
            // SAFETY: no size is zero, and every block is freed with the layout of its allocation.
            unsafe { heap.dealloc(block, layout) };
        }
        count
    }

    #[test]
    fn a_heap_of_any_size_keeps_to_its_memory() {
        assert_eq!(use_up::<0>(), 0);
        assert_eq!(use_up::<1>(), 0);
        use_up::<15>();
        use_up::<255>();
        use_up::<512>();
        use_up::<777>();
        assert_eq!(use_up::<1001>(), 6);
        assert_eq!(use_up::<4095>(), 6);
    }

    #[test]
    fn what_was_used_is_zeros_when_zeros_are_asked_for() {
        let heap = heap::<4096>();
        let layout = layout(1024, 16);
        // SAFETY: no size is zero, and every block is freed with the layout of its allocation.
        unsafe {
            let first = heap.alloc(layout);
            first.write_bytes(0xa5, layout.size());
            heap.dealloc(first, layout);
            let second = heap.alloc_zeroed(layout);
            assert_eq!(second, first, "it is the same memory");
            let bytes = core::slice::from_raw_parts(second, layout.size());
            assert!(bytes.iter().all(|byte| *byte == 0));
        }
    }

    #[test]
    fn a_block_that_grows_keeps_its_bytes_or_stays() {
        let heap = heap::<4096>();
        // SAFETY: no size is zero, and every block is freed with the layout of its allocation.
        unsafe {
            let block = heap.alloc(layout(64, 8));
            block.write_bytes(7, 64);
            // The block `other` is directly after `block`, so that `realloc` must move `block`.
            let other = heap.alloc(layout(64, 8));
            other.write_bytes(8, 64);
            let grown = heap.realloc(block, layout(64, 8), 512);
            assert!(!grown.is_null());
            assert!(
                core::slice::from_raw_parts(grown, 64)
                    .iter()
                    .all(|byte| *byte == 7)
            );
            assert!(heap.realloc(grown, layout(512, 8), 1 << 20).is_null());
            assert!(
                core::slice::from_raw_parts(grown, 64)
                    .iter()
                    .all(|byte| *byte == 7)
            );
            assert!(
                core::slice::from_raw_parts(other, 64)
                    .iter()
                    .all(|byte| *byte == 8)
            );
        }
    }

    /// Asserts that `Arena` provides its memory once and whole, and never takes any part back.
    #[test]
    fn the_memory_is_given_once_and_whole() {
        let arena = Arena::<4100> {
            memory: Box::leak(Box::new(HeapMemory::new())),
            taken: Cell::new(false),
        };
        let start = arena.memory.0.get().cast();
        let none = (core::ptr::null_mut(), 0, 0);
        assert_eq!(
            arena.alloc(4100),
            none,
            "it is too large, and takes nothing"
        );
        assert_eq!(arena.alloc(4096), (start, 4096, 0));
        assert_eq!(arena.alloc(16), none);
        assert!(arena.remap(start, 4096, 8192, true).is_null());
        assert!(!arena.free_part(start, 4096, 16) && !arena.free(start, 4096));
        assert!(!arena.can_release_part(0));
        assert!(arena.allocates_zeros());
        assert_eq!(arena.page_size(), 4096);
    }

    #[test]
    fn allocations_that_no_heap_can_hold_are_refused() {
        let heap = heap::<4096>();
        // SAFETY: no size is zero, and every block is freed with the layout of its allocation.
        unsafe {
            assert!(heap.alloc(layout(isize::MAX as usize, 1)).is_null());
            assert!(heap.alloc(layout(16, 1 << 40)).is_null());
            assert!(!heap.alloc(layout(16, 1)).is_null());
        }
    }
}
