//! The plan of a system: the place of every part in memory. A plan is read-only.

use std::ops::Range;
use std::path::PathBuf;

use boot_spec::{Channel, Irq, PageSize, Parent, Perms, UserCap};

use crate::contents::Chunk;
use crate::frames::Extent;
use crate::patch::Patch;
use crate::platform::Platform;

/// Describes a system laid out in memory: the content of a boot image, and the origin of each part.
///
/// [`Display`](std::fmt::Display) and [`report`](Plan::report) render the plan as text,
/// [`boot_spec`](Plan::boot_spec) makes the boot spec for the model kernel, and
/// [`pack`](crate::pack()) makes an image.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// The name of the system file.
    pub name: String,
    /// The platform that the system is laid out for.
    pub platform: Platform,
    /// The protection domains, in the order of the system. Channels, parents and capabilities use
    /// the index of a protection domain.
    pub protection_domains: Vec<ProtectionDomain>,
    /// The memory regions, in the order of the system. Maps use the index of a memory region.
    pub memory_regions: Vec<MemoryRegion>,
    /// The channels, in the order of the system.
    pub channels: Vec<Channel>,
    /// The contents of memory at boot.
    pub(crate) contents: Vec<Chunk>,
}

/// A protection domain with the places of its memory.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProtectionDomain {
    /// The name in the system file.
    pub name: String,
    /// The path of the program in the system file.
    pub program: PathBuf,
    /// The priority.
    pub priority: u8,
    /// The budget in each period, in microseconds.
    pub budget_us: u64,
    /// The period, in microseconds.
    pub period_us: u64,
    /// Whether the PD is passive. A passive PD gives up its scheduling context after its
    /// initialisation.
    pub passive: bool,
    /// Whether the PD may use the floating-point unit.
    pub fpu: bool,
    /// Whether the PD receives on an endpoint. Otherwise the PD receives on its notification.
    pub needs_endpoint: bool,
    /// The parent, if the PD has one.
    pub parent: Option<Parent>,
    /// The address of the program's first instruction.
    pub entry: u64,
    /// The pages of each segment of the program, in the order of the program headers.
    pub segments: Vec<Area>,
    /// The stack.
    pub stack: Area,
    /// The IPC buffer.
    pub ipc_buffer: Area,
    /// The mapped memory regions, in the order of the system file.
    pub maps: Vec<Map>,
    /// The symbols that are set in the program, in the order of writing.
    pub patches: Vec<Patch>,
    /// The interrupts, in the order of the system file.
    pub irqs: Vec<Irq>,
    /// The capabilities in the PD's own slots, in the order of the system file.
    pub caps: Vec<UserCap>,
}

/// Private memory of a protection domain, in whole small pages.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Area {
    /// The first virtual address.
    pub vaddr: u64,
    /// The length in bytes.
    pub bytes: u64,
    /// The access rights of the protection domain.
    pub perms: Perms,
    /// The physical places, in the order of the virtual addresses.
    pub extents: Vec<Extent>,
}

/// A memory region with its physical places.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryRegion {
    /// The name.
    pub name: String,
    /// The length in bytes.
    pub bytes: u64,
    /// The size of the region's pages.
    pub page_size: PageSize,
    /// Whether the system file sets the region's physical address.
    pub is_fixed: bool,
    /// The physical places, in the order of the offsets in the region.
    pub extents: Vec<Extent>,
    /// The file that fills the region. Without a file, the region holds zeros.
    pub fill: Option<Fill>,
}

/// The file that fills a memory region.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fill {
    /// The path in the system file.
    pub path: PathBuf,
    /// The length in bytes.
    pub bytes: u64,
}

/// A memory region in the address space of a protection domain.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Map {
    /// The index of the memory region.
    pub region: usize,
    /// The virtual address of the region's first byte.
    pub vaddr: u64,
    /// The access rights of the protection domain. Without `read`, seL4 maps the region without any
    /// access.
    pub perms: Perms,
    /// Whether the mapping is cached.
    pub cached: bool,
}

impl Area {
    /// Returns the virtual addresses of the area.
    pub fn range(&self) -> Range<u64> {
        self.vaddr..self.vaddr + self.bytes
    }
}

impl ProtectionDomain {
    /// Returns the private memory of the PD: its segments, its stack and its IPC buffer.
    pub fn own(&self) -> impl Iterator<Item = &Area> {
        self.segments.iter().chain([&self.stack, &self.ipc_buffer])
    }
}

impl Plan {
    /// Returns the amount of main memory that the system uses, in bytes.
    pub fn used_bytes(&self) -> u64 {
        let own = self
            .protection_domains
            .iter()
            .flat_map(ProtectionDomain::own);
        let own = own.flat_map(|area| &area.extents);
        let regions = self
            .memory_regions
            .iter()
            .flat_map(|region| &region.extents);
        let ram = &self.platform.ram;
        let in_ram = |extent: &Extent| {
            extent
                .end()
                .min(ram.end)
                .saturating_sub(extent.paddr.max(ram.start))
        };
        own.chain(regions).map(in_ram).sum()
    }

    /// Returns the amount of main memory that is available to systems, in bytes.
    pub fn available_bytes(&self) -> u64 {
        let Platform { ram, kernel, .. } = &self.platform;
        (ram.end - ram.start) - (kernel.end - kernel.start)
    }
}
