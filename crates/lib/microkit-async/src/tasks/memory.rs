//! Memory for tasks, without a heap.

use core::alloc::Layout;
use core::cell::UnsafeCell;
use core::fmt;
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};

/// Memory of `BYTES` bytes for the tasks of a protection domain and the values that these tasks
/// share. A `TaskMemory` must be a static.
///
/// The memory of a task that has ended is not reused before the protection domain is restarted. On
/// a host one process runs many protection domains, so each [`Tasks`](crate::Tasks) gets separate
/// memory of the same size.
///
/// # Examples
///
/// ```
/// use microkit_async::TaskMemory;
///
/// static MEMORY: TaskMemory<4096> = TaskMemory::new();
/// # let _ = &MEMORY;
/// ```
#[repr(C, align(16))]
pub struct TaskMemory<const BYTES: usize> {
    bytes: UnsafeCell<MaybeUninit<[u8; BYTES]>>,
    /// The number of used bytes, counted from the start. This number never decreases.
    used_bytes: AtomicUsize,
}

// SAFETY: only `reserve` uses `bytes`, and each call returns a different part of `bytes` (invariant
// 1).
unsafe impl<const BYTES: usize> Sync for TaskMemory<BYTES> {}

impl<const BYTES: usize> TaskMemory<BYTES> {
    #[allow(clippy::new_without_default)] // For statics.
    /// Creates unused memory.
    pub const fn new() -> Self {
        Self {
            bytes: UnsafeCell::new(MaybeUninit::uninit()),
            used_bytes: AtomicUsize::new(0),
        }
    }
}

impl<const BYTES: usize> fmt::Debug for TaskMemory<BYTES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskMemory")
            .field("used_bytes", &self.used_bytes)
            .finish_non_exhaustive()
    }
}

/// There is not enough task memory.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct OutOfTaskMemory {
    /// The number of bytes that were requested.
    pub wanted_bytes: usize,
    /// The number of bytes in use.
    pub used_bytes: usize,
    /// The size of the memory in bytes.
    pub all_bytes: usize,
}

impl fmt::Display for OutOfTaskMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            wanted_bytes,
            used_bytes,
            all_bytes,
        } = self;
        write!(
            f,
            "a request for {wanted_bytes} bytes of task memory fails, because {used_bytes} of \
             {all_bytes} bytes are in use: make the `TaskMemory` larger"
        )
    }
}

impl core::error::Error for OutOfTaskMemory {}

/// Allocates parts of the task memory.
///
/// # Safety
///
/// The memory that [`reserve`](Self::reserve) returns has the requested layout and may be written
/// forever. Nothing else refers to any of its bytes.
pub(crate) unsafe trait Reserve: Sync {
    fn reserve(&'static self, layout: Layout) -> Result<NonNull<u8>, OutOfTaskMemory>;
}

// SAFETY: 1. The returned memory is within `bytes`. The static is borrowed forever, and only this
// function uses `bytes`, through a raw pointer, without a reference.
// 2. The memory lies between the old and the new value of `used_bytes`, and the new value is at
//    most `BYTES`. The value only grows, and is exchanged atomically. So a byte is never allocated
//    twice, by any thread (invariant 1).
// 3. The alignment is computed from the address of `bytes`.
unsafe impl<const BYTES: usize> Reserve for TaskMemory<BYTES> {
    fn reserve(&'static self, layout: Layout) -> Result<NonNull<u8>, OutOfTaskMemory> {
        let start = self.bytes.get().cast::<u8>();
        let place = |used_bytes: usize| {
            let padding = start.wrapping_add(used_bytes).align_offset(layout.align());
            let first = used_bytes.checked_add(padding)?;
            let end = first.checked_add(layout.size())?;
            (end <= BYTES).then_some((first, end))
        };
        let grow = |used_bytes| place(used_bytes).map(|(_, end)| end);
        self.used_bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, grow)
            .ok()
            .and_then(place)
            .and_then(|(first, _)| NonNull::new(start.wrapping_add(first)))
            .ok_or(OutOfTaskMemory {
                wanted_bytes: layout.size(),
                used_bytes: self.used_bytes.load(Ordering::Relaxed),
                all_bytes: BYTES,
            })
    }
}

/// Moves a value into the task memory. The value is never dropped or moved again.
pub(crate) fn keep<T>(
    memory: &'static dyn Reserve,
    value: T,
) -> Result<&'static T, OutOfTaskMemory> {
    let place = memory.reserve(Layout::new::<T>())?.cast::<T>();
    // SAFETY: 1. The place has the size and the alignment of a `T`, may be written, and is not used
    // by other code (`Reserve`, *Safety*).
    // 2. The value is written before the first reference to the value exists. After that, there are
    //    only shared references to the value (invariant 2).
    Ok(unsafe {
        place.write(value);
        place.as_ref()
    })
}

/// Returns the memory of a protection domain: on the target, the static itself.
#[cfg(target_os = "none")]
pub(crate) fn own<const BYTES: usize>(memory: &'static TaskMemory<BYTES>) -> &'static dyn Reserve {
    memory
}

/// Returns the memory of a protection domain: on a host, new memory of the same size. The new
/// memory is never freed.
#[cfg(not(target_os = "none"))]
pub(crate) fn own<const BYTES: usize>(_: &'static TaskMemory<BYTES>) -> &'static dyn Reserve {
    std::boxed::Box::leak(std::boxed::Box::new(TaskMemory::<BYTES>::new()))
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn values_lie_beside_each_other_at_their_alignment_until_it_is_full() {
        static MEMORY: TaskMemory<32> = TaskMemory::new();
        let byte = keep(&MEMORY, 1_u8).unwrap();
        let word = keep(&MEMORY, 2_u64).unwrap();
        let other = keep(&MEMORY, 3_u8).unwrap();
        assert!(core::ptr::from_ref(word).is_aligned());
        assert_eq!((*byte, *word, *other), (1, 2, 3));
        let error = keep(&MEMORY, [0_u8; 16]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a request for 16 bytes of task memory fails, because 17 of 32 bytes are in use: make the \
             `TaskMemory` larger"
        );
        // A smaller value still fits into the remaining 15 bytes.
        assert_eq!(keep(&MEMORY, [4_u8; 15]), Ok(&[4; 15]));
        assert!(keep(&MEMORY, 5_u8).is_err());
        assert_eq!((*byte, *word, *other), (1, 2, 3));
    }

    #[test]
    fn a_size_that_cannot_be_is_refused() {
        static MEMORY: TaskMemory<32> = TaskMemory::new();
        let layout = Layout::from_size_align(isize::MAX as usize - 15, 16).unwrap();
        assert!(MEMORY.reserve(layout).is_err());
        assert!(keep(&MEMORY, ()).is_ok());
    }
}
