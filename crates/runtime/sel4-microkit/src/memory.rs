//! Safe access to memory regions.
//!
//! Each macro takes the address and the size that Microkit's tool writes (`setvar_vaddr`,
//! `setvar_size`), so no access can be outside the region.

use core::sync::atomic::{AtomicBool, AtomicU64};

use crate::{DmaRegion, platform};

/// A memory region as a slice of atomic words, `&'static [AtomicU64]`.
///
/// Other PDs may read and write the words at the same time.
///
/// ```no_run
/// use core::sync::atomic::Ordering;
/// use sel4_microkit::shared_words;
///
/// // <map mr="ring" vaddr="0x4000000" perms="rw" setvar_vaddr="ring" setvar_size="ring_size" />
/// let ring = shared_words!(ring, ring_size);
/// ring[0].store(1, Ordering::Release);
/// ```
///
/// With [`SharedWord`](crate::SharedWord) as the third argument, the result is a
/// `&'static [SharedWord]`. On the target, `SharedWord` is `AtomicU64`. On a host, another PD can
/// run before each access.
///
/// Writing to a region that is mapped without `w` faults.
///
/// **Rights:** a region that no PD takes for exclusive use. `cargo microkit check`, `build` and
/// `run` check the system file for this rule.
///
/// # Panics
///
/// Panics if the tool has not written the address or the size, or if the program detects that the
/// address and the size belong to different regions.
#[macro_export]
macro_rules! shared_words {
    ($vaddr:ident, $size:ident $(,)?) => {
        $crate::shared_words!($vaddr, $size, ::core::sync::atomic::AtomicU64)
    };
    ($vaddr:ident, $size:ident, $word:ty $(,)?) => {{
        let [vaddr, size] = $crate::__region!(Words: $vaddr, $size);
        // SAFETY: the tool has written both values for one record.
        let words: &'static [$word] = unsafe { $crate::_private::words(vaddr, size) };
        words
    }};
}

/// Returns a memory region as [`shared_words!`] does, or `None` if the system file does not map the
/// region.
///
/// A server uses this macro for client slots that a system file may leave unused.
///
/// ```
/// assert!(sel4_microkit::shared_words_if_mapped!(client_7, client_7_size).is_none());
/// ```
///
/// # Panics
///
/// Panics if the tool has written only the address, or only the size.
#[macro_export]
macro_rules! shared_words_if_mapped {
    ($vaddr:ident, $size:ident $(,)?) => {
        $crate::shared_words_if_mapped!($vaddr, $size, ::core::sync::atomic::AtomicU64)
    };
    ($vaddr:ident, $size:ident, $word:ty $(,)?) => {{
        let [vaddr, size] = $crate::__region!(Words: $vaddr, $size);
        let words: ::core::option::Option<&'static [$word]> = if vaddr.1 == 0 && size.1 == 0 {
            ::core::option::Option::None
        } else {
            // SAFETY: the tool has written both values for one record.
            ::core::option::Option::Some(unsafe { $crate::_private::words(vaddr, size) })
        };
        words
    }};
}

/// The name of a symbol, and the value that the tool has written into the symbol.
pub(crate) type Written = (&'static str, usize);

/// The purpose of a region with one owner.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Registers of a device: only volatile accesses, without references.
    #[cfg(feature = "mmio")]
    Device,
    /// Memory for DMA: any accesses, and references.
    Dma,
}

/// Returns the words of a region.
///
/// # Safety
///
/// `vaddr` and `size` must be the results of `__region!` for one record, as the tool or the
/// embedder has written them.
#[doc(hidden)]
#[track_caller]
pub unsafe fn words<W: Word>(vaddr: Written, size: Written) -> &'static [W] {
    check_written(vaddr, size);
    let start = platform::shared_region(vaddr, size).cast::<W>().as_ptr();
    // SAFETY: 1. The tool maps `size` bytes at `vaddr` for as long as the PD runs, aligned to a
    //    page. `shared_region` has checked that these bytes do not overlap other memory of the
    //    program. `check` has checked that both values belong to one `<map>` (invariant M1).
    // 2. Every word is an `AtomicU64`, and an `AtomicU64` allows only atomic accesses. Other PDs
    //    may write at any time, but no PD has exclusive access: `check` refuses a system with an
    //    exclusive owner (M2).
    unsafe { core::slice::from_raw_parts(start, size.1 / size_of::<W>()) }
}

/// A word type for the slice of a shared region.
///
/// # Safety
///
/// The type must be `AtomicU64`, or a transparent wrapper of it with only atomic accesses.
#[doc(hidden)]
pub unsafe trait Word: 'static {}

// SAFETY: the type is `AtomicU64`.
unsafe impl Word for AtomicU64 {}

/// Returns the memory of a DMA region.
///
/// # Safety
///
/// `vaddr`, `size` and `paddr` must be the results of `__region!` for one record with the use
/// `Dma`. `taken` must be the static of the same macro call.
#[doc(hidden)]
#[track_caller]
pub unsafe fn dma(
    vaddr: Written,
    size: Written,
    paddr: Written,
    taken: &'static AtomicBool,
) -> DmaRegion {
    check_written(vaddr, size);
    assert!(
        paddr.1 != 0,
        "nothing was written to {0}: the system file has no <setvar symbol=\"{0}\" \
         region_paddr=\"…\"> in this protection domain",
        paddr.0
    );
    let start = platform::exclusive_region(vaddr, size, taken, Purpose::Dma);
    // SAFETY: 1. Reason 1 of `words` applies. Further, `exclusive_region` returns the memory once,
    //    and no other map of the region is writable: `cargo microkit check` refuses a second
    //    writable map (M2).
    // 2. A region whose physical address is written to a symbol is contiguous (Microkit manual,
    //    *setvar*). `check` has checked that the address belongs to this region (M1).
    unsafe { DmaRegion::new(start, size.1, paddr.1 as u64) }
}

#[track_caller]
pub(crate) fn check_written(vaddr: Written, size: Written) {
    for (attribute, (symbol, value)) in [("setvar_vaddr", vaddr), ("setvar_size", size)] {
        assert!(
            value != 0,
            "nothing was written to {symbol}: the system file maps no region with \
             {attribute}=\"{symbol}\" into this protection domain"
        );
    }
}
