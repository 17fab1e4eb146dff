//! Memory regions, in the forms that need no `unsafe` to use.
//!
//! All take the address and the size that Microkit's tool writes (`setvar_vaddr`,
//! `setvar_size`), so none can reach past the region.

use core::ptr;
use core::sync::atomic::AtomicU64;

use crate::DmaRegion;

/// A memory region as a slice of atomic words, `&'static [AtomicU64]`.
///
/// Other protection domains may read and write it at the same time.
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
/// With [`SharedWord`] as a third argument, it is a `&'static [SharedWord]`: the same on the target,
/// and on a host a place for a test to let another protection domain go first.
///
/// # Panics
///
/// If the tool has written no address and size. Writing to a region that is mapped without `w`
/// faults.
#[macro_export]
macro_rules! shared_words {
    ($vaddr:ident, $size:ident $(,)?) => {
        $crate::shared_words!($vaddr, $size, ::core::sync::atomic::AtomicU64)
    };
    ($vaddr:ident, $size:ident, $word:ty $(,)?) => {
        $crate::_private::words::<$word>(
            (::core::stringify!($vaddr), *$crate::var!($vaddr: usize = 0)),
            (::core::stringify!($size), *$crate::var!($size: usize = 0)),
        )
    };
}

/// As [`shared_words!`], but `None` if the system file does not map the region: for a server that
/// has more places for clients than there are clients.
///
/// ```
/// assert!(sel4_microkit::shared_words_if_mapped!(client_7, client_7_size).is_none());
/// ```
///
/// # Panics
///
/// If the tool has written an address and no size, or a size and no address.
#[macro_export]
macro_rules! shared_words_if_mapped {
    ($vaddr:ident, $size:ident $(,)?) => {
        $crate::shared_words_if_mapped!($vaddr, $size, ::core::sync::atomic::AtomicU64)
    };
    ($vaddr:ident, $size:ident, $word:ty $(,)?) => {{
        let vaddr = *$crate::var!($vaddr: usize = 0);
        let size = *$crate::var!($size: usize = 0);
        (vaddr != 0 || size != 0).then(|| {
            $crate::_private::words::<$word>(
                (::core::stringify!($vaddr), vaddr),
                (::core::stringify!($size), size),
            )
        })
    }};
}

/// A memory region as the registers of a device: a `safe_mmio::UniqueMmioPointer` to `T`, whose
/// fields are to be of `safe-mmio`'s types.
///
/// ```no_run
/// use safe_mmio::fields::ReadWrite;
/// use safe_mmio::{UniqueMmioPointer, field};
/// use sel4_microkit::device_region;
///
/// #[repr(C)]
/// struct Timer {
///     load: ReadWrite<u32>,
/// }
///
/// // <map mr="timer" vaddr="0x2000000" perms="rw" cached="false"
/// //      setvar_vaddr="timer" setvar_size="timer_size" />
/// let mut timer: UniqueMmioPointer<'static, Timer> =
///     device_region!(timer, timer_size, Timer);
/// field!(timer, load).write(1000);
/// ```
///
/// # Panics
///
/// If this place runs twice: a device has one owner. If the tool has written no address and size,
/// and if the region is too small for a `T` or not aligned to it.
#[cfg(feature = "mmio")]
#[macro_export]
macro_rules! device_region {
    ($vaddr:ident, $size:ident, $type:ty $(,)?) => {{
        static TAKEN: ::core::sync::atomic::AtomicBool =
            ::core::sync::atomic::AtomicBool::new(false);
        let region: $crate::_private::UniqueMmioPointer<'static, $type> =
            $crate::_private::device(
                (::core::stringify!($vaddr), *$crate::var!($vaddr: usize = 0)),
                (::core::stringify!($size), *$crate::var!($size: usize = 0)),
                &TAKEN,
            );
        region
    }};
}

/// A symbol's name, and what the tool has written there.
type Written = (&'static str, usize);

/// What a region is taken for.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Volatile accesses, and no references.
    #[cfg(feature = "mmio")]
    Device,
    /// Any accesses, and references.
    Dma,
}

#[doc(hidden)]
#[track_caller]
pub fn words<W: Word>(vaddr: Written, size: Written) -> &'static [W] {
    check_written(vaddr, size);
    #[cfg(target_os = "none")]
    let start = ptr::with_exposed_provenance::<W>(vaddr.1);
    #[cfg(not(target_os = "none"))]
    let start = crate::host::shared(vaddr.0, size.1).as_ptr().cast::<W>();
    // SAFETY: 1. The tool maps `size` bytes at `vaddr` for as long as the PD runs, aligned to a
    //    page, and overlapping nothing of the program (it refuses a mapping that does).
    // 2. Every word is an `AtomicU64`, and only atomic accesses can be made through it; others
    //    may write at any time.
    unsafe { core::slice::from_raw_parts(start, size.1 / size_of::<W>()) }
}

/// What a shared region can be a slice of.
///
/// # Safety
///
/// It is an `AtomicU64`, or a transparent wrapper of one that gives atomic accesses only.
#[doc(hidden)]
pub unsafe trait Word: 'static {}

// SAFETY: it is one.
unsafe impl Word for AtomicU64 {}

/// A word of shared memory: on the target `AtomicU64` itself, on a host one whose every access is a
/// step of its own to a test that explores schedules.
#[cfg(target_os = "none")]
pub type SharedWord = AtomicU64;
#[cfg(not(target_os = "none"))]
pub use crate::host::SharedWord;

#[cfg(feature = "mmio")]
#[doc(hidden)]
#[track_caller]
pub fn device<T>(
    vaddr: Written,
    size: Written,
    taken: &'static core::sync::atomic::AtomicBool,
) -> safe_mmio::UniqueMmioPointer<'static, T> {
    check_written(vaddr, size);
    assert!(
        size.1 >= size_of::<T>(),
        "the region of {} has {} bytes, the registers {}: map a larger one",
        vaddr.0,
        size.1,
        size_of::<T>()
    );
    assert!(
        vaddr.1.is_multiple_of(align_of::<T>()),
        "the region of {} is not aligned for the registers",
        vaddr.0
    );
    let start = exclusive(vaddr, size, taken, Purpose::Device);
    // SAFETY: 1. The tool maps `size` bytes at `vaddr` for as long as the PD runs, overlapping
    //    nothing of the program; size and alignment were checked.
    // 2. `taken` lets this place make one pointer; what another place makes for the same symbol
    //    does not link, since each declares it.
    unsafe { safe_mmio::UniqueMmioPointer::new(start) }
}

#[doc(hidden)]
#[track_caller]
pub fn dma(
    vaddr: Written,
    size: Written,
    paddr: Written,
    taken: &'static core::sync::atomic::AtomicBool,
) -> DmaRegion {
    check_written(vaddr, size);
    assert!(
        paddr.1 != 0,
        "nothing was written to {0}: the system file has no <setvar symbol=\"{0}\" \
         region_paddr=\"…\"> in this protection domain",
        paddr.0
    );
    let start = exclusive(vaddr, size, taken, Purpose::Dma);
    // SAFETY: 1. The tool maps `size` bytes at `vaddr` for as long as the PD runs, overlapping
    //    nothing of the program; `taken` gives them out once. That no other PD maps them is what
    //    `dma_region!` asks of the system file.
    // 2. The tool puts a region whose physical address is asked for into one piece (Microkit
    //    manual, *setvar*).
    unsafe { DmaRegion::new(start, size.1, paddr.1 as u64) }
}

/// The region's address, once: it has one owner.
#[cfg(target_os = "none")]
#[track_caller]
fn exclusive<T>(
    vaddr: Written,
    _: Written,
    taken: &'static core::sync::atomic::AtomicBool,
    _: Purpose,
) -> ptr::NonNull<T> {
    let again = taken.swap(true, core::sync::atomic::Ordering::Relaxed);
    assert!(!again, "the region at {} has an owner already", vaddr.0);
    ptr::NonNull::new(ptr::with_exposed_provenance_mut(vaddr.1)).expect("it is not zero")
}

/// As on the target. Many protection domains may run this program, one after another, so the region
/// itself knows its owner.
#[cfg(not(target_os = "none"))]
#[track_caller]
fn exclusive<T>(
    vaddr: Written,
    size: Written,
    _: &'static core::sync::atomic::AtomicBool,
    purpose: Purpose,
) -> ptr::NonNull<T> {
    crate::host::exclusive(vaddr.0, size.1, purpose).cast()
}

#[track_caller]
fn check_written(vaddr: Written, size: Written) {
    for (attribute, (symbol, value)) in [("setvar_vaddr", vaddr), ("setvar_size", size)] {
        assert!(
            value != 0,
            "nothing was written to {symbol}: the system file maps no region with \
             {attribute}=\"{symbol}\" into this protection domain"
        );
    }
}
