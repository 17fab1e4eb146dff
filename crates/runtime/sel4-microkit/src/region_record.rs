//! Records in the ELF file: what a program asks of the memory that the system file maps for it.
//!
//! The compiler sees two words, an address and a size, and cannot know that one `<map>` of the
//! system file has set both. So each macro that turns such words into memory adds a record to the
//! section `microkit_regions`. `cargo microkit` reads the records, and refuses a system file that
//! does not agree with them. The program itself checks what it can see when it takes a region
//! (`platform/target/regions.rs`).

/// How a region is used. The numbers are those of `microkit_abi::regions`.
#[doc(hidden)]
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
#[repr(u64)]
pub enum RegionUse {
    /// As atomic words, which other PDs may read and write.
    Words = microkit_abi::regions::WORDS,
    /// As the registers of a device, by one owner.
    Device = microkit_abi::regions::DEVICE,
    /// As memory of one owner and a device.
    Dma = microkit_abi::regions::DMA,
    /// By a raw pointer.
    Raw = microkit_abi::regions::RAW,
}

/// Declares the symbols of one region, and adds a record of them. It returns each name with the
/// value that the tool has written: the address, the size, the physical address, as far as they are
/// named.
///
/// A caller chooses identifiers only, and the macro itself declares each symbol as a word. So a
/// record never points to anything else.
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
