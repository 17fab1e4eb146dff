//! What a program asks of the memory that the system file maps for it, as records in its ELF file.
//!
//! The compiler sees two words, an address and a size, and cannot know that one `<map>` of the
//! system file has set both. So each macro that turns such words into memory leaves a record in the
//! section `microkit_regions`. `cargo microkit` reads the records, and refuses a system file that
//! does not agree with them. The program itself checks what it can see when it takes a region
//! ([`check`](target::check)).

/// How a region is used. The numbers are those of `microkit_abi::regions`.
#[doc(hidden)]
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
#[repr(u64)]
pub enum RegionUse {
    /// As atomic words, which others may read and write too.
    Words = microkit_abi::regions::WORDS,
    /// As the registers of a device, by one owner.
    Device = microkit_abi::regions::DEVICE,
    /// As memory of one owner and a device.
    Dma = microkit_abi::regions::DMA,
    /// By a raw pointer.
    Raw = microkit_abi::regions::RAW,
}

/// Declares the symbols of one region, leaves a record of them, and gives their names with what the
/// tool has written: the address, the size, the physical address, as far as they are named.
///
/// A caller chooses identifiers only, and this declares each symbol itself, as a word. So a record
/// never points to anything else.
#[doc(hidden)]
#[macro_export]
macro_rules! __region {
    ($use:ident: $vaddr:ident $(, $size:ident $(, $paddr:ident)?)?) => {{
        #[cfg(target_os = "none")]
        mod record {
            ::core::arch::global_asm!(
                ".pushsection microkit_regions, \"aR\", %progbits",
                ".balign {record}",
                ".quad {region_use}",
                ::core::concat!(".quad \"", ::core::stringify!($vaddr), "@microkit\""),
                $(
                    ::core::concat!(".quad \"", ::core::stringify!($size), "@microkit\""),
                    $(::core::concat!(".quad \"", ::core::stringify!($paddr), "@microkit\""),)?
                )?
                // Zeros for what is not named.
                ".balign {record}",
                ".popsection",
                record = const $crate::_private::regions::RECORD_BYTES,
                region_use = const $crate::_private::RegionUse::$use as u64,
            );
        }
        [
            (::core::stringify!($vaddr), *$crate::var!($vaddr: usize = 0)),
            $(
                (::core::stringify!($size), *$crate::var!($size: usize = 0)),
                $((::core::stringify!($paddr), *$crate::var!($paddr: usize = 0)),)?
            )?
        ]
    }};
}

/// A record, as the linker lays it out: the use, and the addresses of the symbols or 0. The first
/// one, which every program has, has a number in the place of an address.
#[cfg(target_os = "none")]
#[repr(C)]
struct Record {
    region_use: u64,
    vaddr: *const usize,
    size: *const usize,
    paddr: *const usize,
}

#[cfg(target_os = "none")]
const _: () = assert!(size_of::<Record>() == microkit_abi::regions::RECORD_BYTES);

#[cfg(target_os = "none")]
pub(crate) mod target {
    //! Checks of the program itself that the system file agrees with it.

    use core::ops::Range;

    use microkit_abi::{limits, regions};

    use super::Record;
    use crate::entry::{sel4_microkit_stack_bytes, stack_top};

    unsafe extern "C" {
        /// Of the program, by the linker: the first byte of its headers, and the first byte after
        /// it.
        safe static __ehdr_start: u8;
        safe static _end: u8;
        /// Of the section of the records, by the linker.
        safe static __start_microkit_regions: Record;
        safe static __stop_microkit_regions: Record;
    }

    // SAFETY: nothing writes to a record, nor, while the program runs, to what it points to.
    unsafe impl Sync for Record {}

    /// Panics if the region reaches into something else of this program.
    #[track_caller]
    pub(crate) fn check(symbol: &str, start: usize, bytes: usize) {
        let page = limits::SMALL_PAGE_BYTES as usize;
        let Some(end) = start.checked_add(bytes) else {
            refuse(symbol, start, bytes, "the end of the address space")
        };
        let region = start..end;
        if !start.is_multiple_of(page) || !bytes.is_multiple_of(page) {
            refuse(symbol, start, bytes, "a part of a page")
        }
        let program = (&raw const __ehdr_start).addr()..(&raw const _end).addr();
        // Headers that are not in memory have no address: then nothing is known of the program.
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
            // SAFETY: 1. The linker defines the two symbols around the section, which consists of
            //    records: only `__region!` and `declare_protection_domain!` add to it.
            // 2. It lies in a segment that nothing writes to.
            let record = unsafe { &*next };
            next = next.wrapping_add(1);
            Some(record)
        })
    }

    /// The addresses that a record is about, as far as the system file maps it.
    fn range(record: &Record) -> Option<Range<usize>> {
        if record.region_use == regions::FIRST {
            return None;
        }
        // SAFETY: a record of a region points to words that `__region!` has declared, or is null.
        let words = unsafe { (record.vaddr.as_ref(), record.size.as_ref()) };
        let (Some(&start), size) = words else {
            return None;
        };
        // Of a raw pointer no size is known.
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
}
