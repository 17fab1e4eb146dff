//! Memory regions and their mappings.

use std::path::PathBuf;

use microkit_abi::limits;

use crate::Span;

/// A memory region (manual, *`memory_region`*).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryRegion {
    /// Its place in the file.
    pub span: Span,
    /// Its unique name.
    pub name: String,
    /// Its size in bytes, a multiple of its page size.
    pub bytes: u64,
    /// The size of its pages: as written, or else the largest that divides its size and all its
    /// addresses.
    pub page_size: PageSize,
    /// The number of its pages. It can be 0 if nothing maps the region.
    pub page_count: u64,
    /// Where it is in physical memory.
    pub phys_addr: PhysAddr,
    /// What it holds at boot.
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
    /// All sizes, from the smallest on (manual, *Page sizes by architecture*).
    pub const ALL: [Self; 2] = [Self::Small, Self::Large];

    /// Returns the size in bytes.
    pub const fn bytes(self) -> u64 {
        match self {
            Self::Small => limits::SMALL_PAGE_BYTES,
            Self::Large => limits::LARGE_PAGE_BYTES,
        }
    }
}

/// Where a memory region is in physical memory.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum PhysAddr {
    /// Anywhere, in any pieces.
    Any,
    /// In one piece, where the image builder chooses, because a symbol is set to its address.
    Chosen,
    /// At this address. It is not checked that the board has memory or a device there.
    Fixed(u64),
}

/// What a memory region holds at boot (manual, *Prefilling*).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fill {
    /// Zeros in main memory. Elsewhere, whatever is there.
    Zero,
    /// A file, and zeros after it.
    File {
        /// The file, as the system file writes it.
        path: PathBuf,
        /// Its length when the system was parsed, in bytes.
        bytes: u64,
    },
    /// Boot information that the kernel has of the machine.
    BootInfo(BootInfo),
}

/// Boot information that the kernel has of the machine.
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

    /// What the file calls each of [`Self::ALL`].
    pub(crate) const WORDS: [&'static str; 6] = [
        "fdt",
        "x86_vbe",
        "x86_mbmmap",
        "x86_acpi_rsdp",
        "x86_framebuffer",
        "x86_tsc_freq",
    ];

    /// What the file calls it.
    pub fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// A memory region mapped into an address space.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Map {
    /// Its place in the file.
    pub span: Span,
    /// The index of the memory region.
    pub region: usize,
    /// The address of its first byte.
    pub vaddr: u64,
    /// How it may be accessed.
    pub perms: Perms,
    /// Whether it is cached.
    pub cached: bool,
}

/// How mapped memory may be accessed.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Perms {
    pub read: bool,
    pub write: bool,
    pub execute: bool,
}
