//! Memory regions, in forms that are used without `unsafe`.
//!
//! Each form takes the address and the size that Microkit's tool writes (`setvar_vaddr`,
//! `setvar_size`), so none reaches past the region.

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
/// With [`SharedWord`](crate::SharedWord) as a third argument, it is a `&'static [SharedWord]`. On
/// the target that is the same type. On a host another PD can run before each access.
///
/// Writing to a region that is mapped without `w` faults.
///
/// **Rights:** a region that no PD takes for itself. `cargo microkit check`, `build` and `run`
/// check that in the system file.
///
/// # Panics
///
/// Panics if the tool has written no address or no size, or if the program can see that the two are
/// of different regions.
#[macro_export]
macro_rules! shared_words {
    ($vaddr:ident, $size:ident $(,)?) => {
        $crate::shared_words!($vaddr, $size, ::core::sync::atomic::AtomicU64)
    };
    ($vaddr:ident, $size:ident, $word:ty $(,)?) => {{
        let [vaddr, size] = $crate::__region!(Words: $vaddr, $size);
        // SAFETY: the two are what the tool has written for one record.
        let words: &'static [$word] = unsafe { $crate::_private::words(vaddr, size) };
        words
    }};
}

/// A memory region as [`shared_words!`], or `None` if the system file does not map it.
///
/// A server uses it that has more slots for clients than the system has clients.
///
/// ```
/// assert!(sel4_microkit::shared_words_if_mapped!(client_7, client_7_size).is_none());
/// ```
///
/// # Panics
///
/// Panics if the tool has written an address and no size, or a size and no address.
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
            // SAFETY: the two are what the tool has written for one record.
            ::core::option::Option::Some(unsafe { $crate::_private::words(vaddr, size) })
        };
        words
    }};
}

/// A symbol's name, and what the tool has written there.
pub(crate) type Written = (&'static str, usize);

/// What a region with one owner is taken for.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Volatile accesses, and no references.
    #[cfg(feature = "mmio")]
    Device,
    /// Any accesses, and references.
    Dma,
}

/// Returns the words of a region.
///
/// # Safety
///
/// `vaddr` and `size` are what `__region!` has returned for one record, as the tool or the embedder
/// has written them.
#[doc(hidden)]
#[track_caller]
pub unsafe fn words<W: Word>(vaddr: Written, size: Written) -> &'static [W] {
    check_written(vaddr, size);
    let start = platform::shared_region(vaddr, size).cast::<W>().as_ptr();
    // SAFETY: 1. The tool maps `size` bytes at `vaddr` for as long as the PD runs, aligned to a
    //    page. `shared_region` has checked that they overlap nothing of the program, and `check`
    //    that both are of one `<map>` (invariant M1).
    // 2. Every word is an `AtomicU64`, and only atomic accesses can be made through it. Others may
    //    write at any time, but nobody has the memory to itself: `check` refuses that (M2).
    unsafe { core::slice::from_raw_parts(start, size.1 / size_of::<W>()) }
}

/// The types of word that a shared region can be a slice of.
///
/// # Safety
///
/// The type is `AtomicU64`, or a transparent wrapper of one that has only atomic accesses.
#[doc(hidden)]
pub unsafe trait Word: 'static {}

// SAFETY: the type is `AtomicU64`.
unsafe impl Word for AtomicU64 {}

/// Returns the memory of a DMA region.
///
/// # Safety
///
/// `vaddr`, `size` and `paddr` are what `__region!` has returned for one record with the use `Dma`,
/// and `taken` is a static of that place in the program.
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
    // SAFETY: 1. As in `words`, 1. Further, `exclusive_region` returns the memory once, and no
    //    other map of the region lets anybody write: `cargo microkit check` refuses that (M2).
    // 2. The tool puts a region whose physical address is asked for into one piece (Microkit
    //    manual, *setvar*), and `check` has seen that it is this region (M1).
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
