//! Memory regions on a host, and the access rules for them.
//!
//! On the target, the checks of the system file enforce two rules. Shared words
//! ([`shared_words!`](crate::shared_words)) are accessed only atomically. A region for a device or
//! for DMA has one owner. On a host, the region itself enforces these rules. The first use
//! decides whether the region is shared or owned:
//!
//! ```text
//!                 ┌── shared ──▶ Shared, forever: the slice is `'static`
//!        Unused ──┤
//!                 └── taken ───▶ Taken ── the incarnation ends ──▶ Ended ── taken again ──▶ Taken
//! ```
//!
//! A `DeviceRegion` or `DmaRegion` may outlive its incarnation, for instance in a static of the
//! process. So if an `Ended` region is taken again, it keeps its memory only for a device in the
//! same thread, where accesses never happen at the same time. For any other use, the region gets
//! new memory, and the old memory is never freed.

use core::fmt;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::vec::Vec;

use microkit_abi::limits::SMALL_PAGE_BYTES;

use crate::memory::Purpose;

/// A memory region on a host, for [`Symbol::mapping`](super::Symbol::mapping).
///
/// PDs that share a region have symbols of the same `HostRegion`. The memory of a region is aligned
/// to a page, and is never freed.
///
/// If the region has the registers of a device, the embedder simulates the device with
/// [`read`](Self::read) and [`write`](Self::write).
///
/// ```
/// use sel4_microkit::host::{HostRegion, Symbol, set_symbols};
/// use sel4_microkit::shared_words;
///
/// let ring: &'static HostRegion = Box::leak(Box::new(HostRegion::new(512)));
/// ring.write(1, 7);
/// set_symbols(Box::leak(Box::new([
///     Symbol::mapping("ring", ring),
///     Symbol::word("ring_size", 4096),
/// ])));
/// let words = shared_words!(ring, ring_size);
/// assert_eq!(words[1].load(std::sync::atomic::Ordering::Relaxed), 7);
/// ```
pub struct HostRegion {
    memory: Mutex<Memory>,
    /// The value of a symbol with the region's address.
    address: u64,
    length: usize,
}

struct Memory {
    words: &'static [AtomicU64],
    usage: Usage,
}

#[derive(Debug, Copy, Clone, PartialEq, Eq)]
enum Usage {
    /// No PD uses the region. Only `HostRegion` accesses the memory.
    Unused,
    /// Any thread may make atomic accesses at any time.
    Shared,
    /// An incarnation that has not ended owns the region.
    Taken(Owner),
    /// The region has no owner, but code that an ended incarnation has left behind might still
    /// access the memory.
    Ended(Owner),
}

#[derive(Debug, Copy, Clone, PartialEq, Eq)]
struct Owner {
    purpose: Purpose,
    /// The thread in which the owner of a device's region makes volatile accesses.
    thread: ThreadId,
}

impl Purpose {
    /// Returns whether the owner may make references to the memory.
    fn has_references(self) -> bool {
        self == Self::Dma
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            #[cfg(feature = "mmio")]
            Self::Device => "the registers of a device",
            Self::Dma => "DMA",
        })
    }
}

impl HostRegion {
    /// Makes a region of `words` words with the value zero.
    pub fn new(words: usize) -> Self {
        let words = zeros(words);
        Self {
            address: words.as_ptr().expose_provenance() as u64,
            length: words.len(),
            memory: Mutex::new(Memory {
                words,
                usage: Usage::Unused,
            }),
        }
    }

    /// Returns the size of the region in words.
    #[expect(clippy::len_without_is_empty, reason = "a region has at least a word")]
    pub const fn len(&self) -> usize {
        self.length
    }

    /// Reads a word.
    ///
    /// # Panics
    ///
    /// Panics if `index` is not in the region. Panics if a PD has taken the region for DMA, because
    /// the PD may have references into the region. Panics if a PD in another thread has taken the
    /// region as a device's registers.
    #[track_caller]
    pub fn read(&self, index: usize) -> u64 {
        self.accessible().words[index].load(Relaxed)
    }

    /// Writes a word.
    ///
    /// # Panics
    ///
    /// Panics in the same cases as [`read`](Self::read).
    #[track_caller]
    pub fn write(&self, index: usize, word: u64) {
        self.accessible().words[index].store(word, Relaxed);
    }

    /// Writes every word: first the given words, then zeros.
    ///
    /// # Panics
    ///
    /// Panics in the same cases as [`read`](Self::read).
    #[track_caller]
    pub fn fill(&self, words: impl IntoIterator<Item = u64>) {
        let values = words.into_iter().chain(core::iter::repeat(0));
        let memory = self.accessible();
        for (word, value) in memory.words.iter().zip(values) {
            word.store(value, Relaxed);
        }
    }

    /// Calls `see` with every word, unless a PD has taken the region for DMA.
    ///
    /// # Panics
    ///
    /// Panics if a PD in another thread has taken the region as a device's registers.
    #[track_caller]
    pub fn for_each(&self, mut see: impl FnMut(u64)) {
        let is_dma = |usage| matches!(usage, Usage::Taken(owner) if owner.purpose.has_references());
        if !is_dma(self.memory().usage) {
            let memory = self.accessible();
            memory.words.iter().for_each(|word| see(word.load(Relaxed)));
        }
    }

    /// Returns the words, and makes the region shared: every PD that maps the region may access the
    /// words.
    ///
    /// # Panics
    ///
    /// Panics if a PD has taken the region for exclusive use.
    #[track_caller]
    pub fn share(&self) -> &'static [AtomicU64] {
        let mut memory = self.memory();
        match memory.usage {
            Usage::Taken(owner) => {
                drop(memory);
                panic!(
                    "the region was taken for {}, and cannot be shared words too: use \
                     `HostRegion::read` and `write` to be the device",
                    owner.purpose
                )
            }
            Usage::Ended(_) => memory.replace(),
            Usage::Unused | Usage::Shared => {}
        }
        memory.usage = Usage::Shared;
        memory.words
    }

    /// Returns the purpose of a taken region as text, or `None` if no PD has taken the region.
    pub fn taken_for(&self) -> Option<impl fmt::Display + use<>> {
        match self.memory().usage {
            Usage::Taken(owner) => Some(owner.purpose),
            Usage::Unused | Usage::Shared | Usage::Ended(_) => None,
        }
    }

    /// Returns the offset of a host address in the region's memory. The address just after the last
    /// byte also has an offset.
    pub fn offset_bytes(&self, address: u64) -> Option<u64> {
        let words = self.memory().words;
        let offset = address.checked_sub(words.as_ptr().addr() as u64)?;
        (offset <= size_of_val(words) as u64).then_some(offset)
    }

    /// Returns the value of a symbol with the region's address.
    pub(super) const fn address(&self) -> u64 {
        self.address
    }

    /// Takes the region for an incarnation.
    ///
    /// The caller owns the memory until it drops the returned [`Taken`]. The caller may still use
    /// the memory afterwards: a later owner gets the same memory only for a device, in this thread.
    pub(super) fn take(&'static self, purpose: Purpose) -> Result<(Taken, NonNull<u64>), Refused> {
        let owner = Owner {
            purpose,
            thread: sel4::sys::host::thread_id(),
        };
        let mut memory = self.memory();
        match memory.usage {
            Usage::Unused => {}
            Usage::Ended(before) if before == owner && !purpose.has_references() => {}
            Usage::Ended(_) => memory.replace(),
            Usage::Shared => return Err(Refused::Shared),
            Usage::Taken(_) => return Err(Refused::Taken),
        }
        memory.usage = Usage::Taken(owner);
        let start = NonNull::from(memory.words).cast();
        Ok((Taken(self), start))
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // A poisoned lock is safe to use: a panic inside the lock leaves no partial update.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks and returns the memory for atomic accesses. Panics if such accesses are not allowed
    /// now.
    #[track_caller]
    fn accessible(&self) -> MutexGuard<'_, Memory> {
        let mut memory = self.memory();
        let (owner, has_ended) = match memory.usage {
            Usage::Unused | Usage::Shared => return memory,
            Usage::Taken(owner) => (owner, false),
            Usage::Ended(owner) => (owner, true),
        };
        // An owner in this thread makes no accesses at the same time as the caller.
        let is_here = owner.thread == sel4::sys::host::thread_id();
        if !owner.purpose.has_references() && is_here {
            return memory;
        }
        if has_ended {
            memory.replace();
            memory.usage = Usage::Unused;
            return memory;
        }
        drop(memory);
        panic!(
            "the region was taken for {}{}: only its owner can use it",
            owner.purpose,
            if is_here { "" } else { " in another thread" }
        )
    }
}

impl fmt::Debug for HostRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostRegion")
            .field("length", &self.length)
            .field("usage", &self.memory().usage)
            .finish_non_exhaustive()
    }
}

impl Memory {
    /// Replaces the memory. The old memory is never freed, so code that still has a pointer to the
    /// old memory may use it.
    fn replace(&mut self) {
        self.words = zeros(self.words.len());
    }
}

/// The ownership of a region by an incarnation. `Drop` ends the ownership.
#[derive(Debug)]
pub(super) struct Taken(&'static HostRegion);

impl Drop for Taken {
    fn drop(&mut self) {
        let mut memory = self.0.memory();
        if let Usage::Taken(owner) = memory.usage {
            memory.usage = Usage::Ended(owner);
        }
    }
}

/// The reason why a region cannot be taken.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(super) enum Refused {
    /// The words of the region are already shared.
    Shared,
    /// The region already has an owner.
    Taken,
}

/// Allocates words with the value zero, aligned to a page. The words are never freed.
fn zeros(count: usize) -> &'static [AtomicU64] {
    const PAGE: usize = SMALL_PAGE_BYTES as usize;
    let spare = PAGE / size_of::<AtomicU64>() - 1;
    let words: Vec<AtomicU64> = (0..count + spare).map(|_| AtomicU64::new(0)).collect();
    let words: &'static [AtomicU64] = words.leak();
    let start = words.as_ptr().align_offset(PAGE);
    &words[start..start + count]
}
