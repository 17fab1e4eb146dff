//! Checks the tool's mappings of memory regions against the rest of the program (invariant M1).

use core::ops::Range;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use microkit_abi::{limits, regions};

use super::entry::{sel4_microkit_stack_bytes, stack_top};
use crate::memory::{Purpose, Written};

/// Returns the first word of a region that PDs share.
#[track_caller]
pub(crate) fn shared_region(vaddr: Written, size: Written) -> NonNull<AtomicU64> {
    mapped(vaddr, size).cast()
}

/// Returns the first byte of a region with one owner. A second call panics.
///
/// A second macro call with the same symbol does not link, because each call declares the symbol.
#[track_caller]
pub(crate) fn exclusive_region(
    vaddr: Written,
    size: Written,
    taken: &'static AtomicBool,
    _: Purpose,
) -> NonNull<u8> {
    let start = mapped(vaddr, size);
    let again = taken.swap(true, Ordering::Relaxed);
    assert!(!again, "the region at {} has an owner already", vaddr.0);
    start
}

/// Checks a region, and returns its first byte. The region must consist of whole pages, and must
/// not overlap the program's segments, stack or other regions.
#[track_caller]
fn mapped(vaddr: Written, size: Written) -> NonNull<u8> {
    check(vaddr.0, vaddr.1, size.1);
    NonNull::new(core::ptr::with_exposed_provenance_mut(vaddr.1)).expect("it is not zero")
}

/// A record in the linker's layout: the use of a region, and the addresses of its symbols or 0. In
/// the first record of every program, the second word is a number.
#[repr(C)]
struct Record {
    region_use: u64,
    vaddr: *const usize,
    size: *const usize,
    paddr: *const usize,
}

const _: () = assert!(size_of::<Record>() == microkit_abi::regions::RECORD_BYTES);

unsafe extern "C" {
    /// The first byte of the program's headers, and the first byte after the program. The linker
    /// defines both symbols.
    safe static __ehdr_start: u8;
    safe static _end: u8;
    /// The start and the end of the section of records. The linker defines both symbols.
    safe static __start_microkit_regions: Record;
    safe static __stop_microkit_regions: Record;
}

// SAFETY: while the program runs, nothing writes to a record or to the words that a record points
// to.
unsafe impl Sync for Record {}

/// Panics if the region overlaps other memory of this program.
#[track_caller]
fn check(symbol: &str, start: usize, bytes: usize) {
    let page = limits::SMALL_PAGE_BYTES as usize;
    let Some(end) = start.checked_add(bytes) else {
        refuse(symbol, start, bytes, "the end of the address space")
    };
    let region = start..end;
    if !start.is_multiple_of(page) || !bytes.is_multiple_of(page) {
        refuse(symbol, start, bytes, "a part of a page")
    }
    let program = (&raw const __ehdr_start).addr()..(&raw const _end).addr();
    // If the headers are not in memory, their address is 0 and the program's extent is unknown.
    if program.start != 0 && overlap(&region, &program) {
        refuse(symbol, start, bytes, "this program")
    }
    if end > stack_top() - sel4_microkit_stack_bytes - page {
        refuse(symbol, start, bytes, "the stack, or the page below it")
    }
    let mut same = 0;
    for other in records().filter_map(range) {
        same += usize::from(other.start == start);
        if other.start != start && overlap(&region, &other) {
            refuse(symbol, start, bytes, "another region of this program")
        }
    }
    if same > 1 {
        refuse(symbol, start, bytes, "another region of this program")
    }
}

fn records() -> impl Iterator<Item = &'static Record> {
    let end = &raw const __stop_microkit_regions;
    let mut next = &raw const __start_microkit_regions;
    core::iter::from_fn(move || {
        if next == end {
            return None;
        }
        // SAFETY: 1. The linker defines the two symbols around the section. The section consists of
        //    records, because only `__region!` and `declare_protection_domain!` add to the section.
        // 2. The section is in a segment that nothing writes to.
        let record = unsafe { &*next };
        next = next.wrapping_add(1);
        Some(record)
    })
}

/// Returns the address range of a record's region, if the system file maps the region.
fn range(record: &Record) -> Option<Range<usize>> {
    if record.region_use == regions::FIRST {
        return None;
    }
    // SAFETY: the pointers of a region's record are null, or point to words that `__region!` has
    // declared.
    let words = unsafe { (record.vaddr.as_ref(), record.size.as_ref()) };
    let (Some(&start), size) = words else {
        return None;
    };
    // The size of a raw pointer's region is unknown.
    let bytes = size.map_or(1, |size| *size);
    (start != 0).then(|| start..start.saturating_add(bytes))
}

fn overlap(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}

#[cold]
#[inline(never)]
#[track_caller]
fn refuse(symbol: &str, start: usize, bytes: usize, what: &str) -> ! {
    panic!(
        "the region of {symbol}, {bytes:#x} bytes at {start:#x}, reaches into {what}: let one \
         <map> of the system file set its address and its size (`cargo microkit check` names \
         the <map>s)"
    )
}
