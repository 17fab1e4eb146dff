//! Memory regions and their mappings.

use std::path::PathBuf;

use microkit_abi::limits;

use crate::Span;

/// A memory region (manual, *`memory_region`*).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryRegion {
    /// The place in the file.
    pub span: Span,
    /// The unique name.
    pub name: String,
    /// The size in bytes, a multiple of the page size.
    pub bytes: u64,
    /// The page size: from the file, or else the largest size that divides the region's size and
    /// all its addresses.
    pub page_size: PageSize,
    /// The number of pages in the region. The number can be 0 if no PD maps the region.
    pub page_count: u64,
    /// The place in physical memory.
    pub phys_addr: PhysAddr,
    /// The contents at boot.
    pub fill: Fill,
}

/// The size of a page.
#[derive(Debug, Copy, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PageSize {
    /// 4 KiB.
    Small,
    /// 2 MiB.
    Large,
}

impl PageSize {
    /// All page sizes, in ascending order (manual, *Page sizes by architecture*).
    pub const ALL: [Self; 2] = [Self::Small, Self::Large];

    /// Returns the size in bytes.
    pub const fn bytes(self) -> u64 {
        match self {
            Self::Small => limits::SMALL_PAGE_BYTES,
            Self::Large => limits::LARGE_PAGE_BYTES,
        }
    }
}

/// The place of a memory region in physical memory.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum PhysAddr {
    /// Anywhere, in any number of pieces.
    Any,
    /// In one piece, at an address that the image builder chooses, because a symbol needs the
    /// address.
    Chosen,
    /// At this address. No check ensures that the board has memory or a device at the address.
    Fixed(u64),
}

/// The contents of a memory region at boot (manual, *Prefilling*).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fill {
    /// Zeros in main memory. Outside main memory, the contents are not changed.
    Zero,
    /// A file, followed by zeros.
    File {
        /// The path in the system file.
        path: PathBuf,
        /// The length when the system was parsed, in bytes.
        bytes: u64,
    },
    /// Boot information about the machine, from the kernel.
    BootInfo(BootInfo),
}

/// A kind of boot information that the kernel has about the machine.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum BootInfo {
    /// The device tree.
    Fdt,
    /// x86 only.
    X86Vbe,
    /// x86 only.
    X86Mbmmap,
    /// x86 only.
    X86AcpiRsdp,
    /// x86 only.
    X86Framebuffer,
    /// x86 only.
    X86TscFreq,
}

impl BootInfo {
    pub(crate) const ALL: [Self; 6] = [
        Self::Fdt,
        Self::X86Vbe,
        Self::X86Mbmmap,
        Self::X86AcpiRsdp,
        Self::X86Framebuffer,
        Self::X86TscFreq,
    ];

    /// The word in the file for each of [`Self::ALL`].
    pub(crate) const WORDS: [&'static str; 6] = [
        "fdt",
        "x86_vbe",
        "x86_mbmmap",
        "x86_acpi_rsdp",
        "x86_framebuffer",
        "x86_tsc_freq",
    ];

    /// Returns the word for this kind in the system file.
    pub fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// A memory region mapped into an address space.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Map {
    /// The place in the file.
    pub span: Span,
    /// The index of the memory region.
    pub region: usize,
    /// The virtual address of the region's first byte.
    pub vaddr: u64,
    /// The access rights.
    pub perms: Perms,
    /// Whether the mapping is cached.
    pub cached: bool,
}

/// The access rights of mapped memory.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Perms {
    pub read: bool,
    pub write: bool,
    pub execute: bool,
}
