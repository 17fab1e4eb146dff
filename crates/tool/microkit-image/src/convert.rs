//! Converts the memory regions and maps of a checked system to the types of a plan.

use microkit_sdf::{self as sdf, PhysAddr};

use crate::frames::Extent;
use crate::plan::{Fill, Map, MemoryRegion};
use crate::words;

/// Converts a memory region and adds its physical places.
pub(crate) fn memory_region((region, extents): (&sdf::MemoryRegion, Vec<Extent>)) -> MemoryRegion {
    MemoryRegion {
        name: region.name.clone(),
        bytes: region.bytes,
        page_size: words::page_size(region.page_size),
        is_fixed: matches!(region.phys_addr, PhysAddr::Fixed(_)),
        extents,
        fill: match &region.fill {
            sdf::Fill::File { path, bytes } => Some(Fill {
                path: path.clone(),
                bytes: *bytes,
            }),
            sdf::Fill::Zero | sdf::Fill::BootInfo(_) => None,
        },
    }
}

/// Converts a map.
pub(crate) fn map(map: &sdf::Map) -> Map {
    Map {
        region: map.region,
        vaddr: map.vaddr,
        perms: words::perms(map.perms),
        cached: map.cached,
    }
}
