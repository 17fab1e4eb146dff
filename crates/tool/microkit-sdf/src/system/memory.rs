//! Memory regions and their mappings.

use std::path::PathBuf;

use microkit_abi::limits;

use crate::Span;

/// A memory region (manual, *memory_region*).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryRegion {
    /// Where it is.
    pub span: Span,
    /// Its name, which no other has.
    pub name: String,
    /// How large it is, in bytes; whole pages.
    pub bytes: u64,
    /// How large its pages are: what is written, else the largest that divides its size and all
    /// addresses that it has.
    pub page_size: PageSize,
    /// How many pages it has. None at all is possible for a region that nothing maps.
    pub page_count: u64,
    /// Where it is in physical memory.
    pub phys_addr: PhysAddr,
    /// What it holds at first.
    pub fill: Fill,
}

/// How large a page is.
#[derive(Debug, Copy, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PageSize {
    /// 4 KiB.
    Small,
    /// 2 MiB.
    Large,
}

impl PageSize {
    /// All of them, from the smallest on (manual, *Page sizes by architecture*).
    pub const ALL: [Self; 2] = [Self::Small, Self::Large];

    /// In bytes.
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
    /// Here. Whether the board has memory or a device there is not checked.
    Fixed(u64),
}

/// What a memory region holds at first (manual, *Prefilling*).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fill {
    /// Zeros; or, outside main memory, what is there.
    Zero,
    /// A file, and zeros after it.
    File {
        /// The file, as the system file writes it.
        path: PathBuf,
        /// How long it was when the system was parsed, in bytes.
        bytes: u64,
    },
    /// What the kernel says of the machine.
    BootInfo(BootInfo),
}

/// What the kernel says of the machine.
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
    /// Where it is.
    pub span: Span,
    /// The index of the memory region.
    pub region: usize,
    /// The address of its first byte.
    pub vaddr: u64,
    /// What may be done to it.
    pub perms: Perms,
    /// Whether it is cached.
    pub cached: bool,
}

/// What may be done to mapped memory.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Perms {
    pub read: bool,
    pub write: bool,
    pub execute: bool,
}
