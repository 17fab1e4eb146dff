//! Records in the ELF file: the requirements of a program on its memory regions.
//!
//! The compiler sees two words, an address and a size. The compiler cannot check that one `<map>`
//! of the system file has set both words. So each macro that turns these words into memory adds a
//! record to the section `microkit_regions`. `cargo microkit` reads the records, and refuses a
//! system file that does not satisfy the records. The program itself makes the checks that are
//! possible at run time (`platform/target/regions.rs`).

/// The use of a region. The numbers are those of `microkit_abi::regions`.
#[doc(hidden)]
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
#[repr(u64)]
pub enum RegionUse {
    /// Atomic words. Other PDs may read and write the words.
    Words = microkit_abi::regions::WORDS,
    /// The registers of a device, with one owner.
    Device = microkit_abi::regions::DEVICE,
    /// Memory for DMA, used by one owner and a device.
    Dma = microkit_abi::regions::DMA,
    /// Memory behind a raw pointer.
    Raw = microkit_abi::regions::RAW,
}

/// Declares the symbols of one region, and adds a record of the region. Returns each name with the
/// value that the tool has written: the address, and optionally the size and the physical address.
///
/// A caller chooses only the identifiers, and the macro itself declares each symbol as a word. So a
/// record always points to words.
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
                // If the call does not name a symbol, the alignment fills the field of this symbol
                // with zeros.
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
