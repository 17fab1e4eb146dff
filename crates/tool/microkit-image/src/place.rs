//! Allocates physical memory for a system.
//!
//! Regions with a fixed address come first. Next are the regions that must be in one piece. As in
//! the SDK's tool, these regions follow the order of the file, and each region gets the lowest free
//! place. Then come the regions of large pages, the regions of small pages, and the protection
//! domains. Large pages come before small pages, so that small pages do not fragment the large
//! ones.

use std::ops::Range;

use microkit_abi::limits::SMALL_PAGE_BYTES;
use microkit_sdf::{Fill, MemoryRegion, PageSize, PhysAddr, Span};

use crate::error::{PlanError, PlanErrorKind};
use crate::frames::{Extent, Frames};
use crate::platform::{Platform, overlap};

/// Main memory during the allocation.
pub(crate) struct Placer {
    frames: Frames,
    /// The free memory after the placement of the regions with a fixed address, in bytes.
    available: u64,
    /// The memory requested for parts without a fixed address, in bytes.
    needed: u64,
    /// The requests that could not be satisfied.
    missing: Vec<Missing>,
}

struct Missing {
    span: Span,
    what: String,
    bytes: u64,
    form: &'static str,
    left: u64,
}

impl Placer {
    /// Places the memory regions, and returns their places in the same order. Reports each region
    /// that is not allowed at its fixed address.
    pub(crate) fn new(
        regions: &[MemoryRegion],
        platform: &Platform,
        errors: &mut Vec<PlanError>,
    ) -> (Self, Vec<Vec<Extent>>) {
        let mut frames = Frames::new(platform);
        for region in regions {
            if let PhysAddr::Fixed(paddr) = region.phys_addr
                && region.bytes > 0
            {
                let taken = paddr..paddr.saturating_add(region.bytes);
                let kinds = misplaced(region, &taken, platform);
                errors.extend(
                    kinds
                        .into_iter()
                        .map(|kind| PlanError::at(region.span, kind)),
                );
                frames.remove(&taken);
            }
        }
        let available = frames.free_bytes();
        let mut placer = Self {
            frames,
            available,
            needed: 0,
            missing: Vec::new(),
        };
        let mut order: Vec<usize> = (0..regions.len()).collect();
        order.sort_by_key(|&index| rank(&regions[index]));
        let mut places = vec![Vec::new(); regions.len()];
        for index in order {
            places[index] = placer.region(&regions[index]);
        }
        (placer, places)
    }

    fn region(&mut self, region: &MemoryRegion) -> Vec<Extent> {
        let (bytes, page_bytes) = (region.bytes, region.page_size.bytes());
        if bytes == 0 {
            return Vec::new();
        }
        if let PhysAddr::Fixed(paddr) = region.phys_addr {
            return vec![Extent {
                paddr,
                bytes: bytes.min(u64::MAX - paddr),
            }];
        }
        self.needed = self.needed.saturating_add(bytes);
        let (places, form, left) = match (region.phys_addr, region.page_size) {
            (PhysAddr::Chosen, _) => {
                let place = self.frames.one_piece(bytes, page_bytes);
                let left = self.frames.longest(page_bytes);
                (place.map(|place| vec![place]), " in one piece", left)
            }
            (_, size) => {
                let places = self.frames.pieces(bytes, page_bytes);
                let form = if size == PageSize::Large {
                    " in pages of 2 MiB"
                } else {
                    ""
                };
                (places, form, self.frames.free_in_pages(page_bytes))
            }
        };
        places.unwrap_or_else(|| {
            let what = format!("the region `{}`", region.name);
            self.missing.push(Missing {
                span: region.span,
                what,
                bytes,
                form,
                left,
            });
            Vec::new()
        })
    }

    /// Places the protection domain `name`, with `bytes` in small pages. Returns `None` if there is
    /// not enough memory.
    pub(crate) fn pd(&mut self, name: &str, span: Span, bytes: u64) -> Option<Vec<Extent>> {
        self.needed = self.needed.saturating_add(bytes);
        let places = self.frames.pieces(bytes, SMALL_PAGE_BYTES);
        if places.is_none() {
            let what = format!("`{name}`");
            let left = self.frames.free_bytes();
            self.missing.push(Missing {
                span,
                what,
                bytes,
                form: "",
                left,
            });
        }
        places
    }

    /// Reports the requests that could not be satisfied.
    pub(crate) fn finish(self, errors: &mut Vec<PlanError>) {
        let (needed, available) = (self.needed, self.available);
        errors.extend(self.missing.into_iter().map(|missing| {
            let Missing {
                span,
                what,
                bytes,
                form,
                left,
            } = missing;
            let kind = PlanErrorKind::NoRoom {
                what,
                bytes,
                form,
                left,
                needed,
                available,
            };
            PlanError::at(span, kind)
        }));
    }
}

/// Returns the rank of a region. A region with a lower rank is placed earlier.
fn rank(region: &MemoryRegion) -> u8 {
    match (region.phys_addr, region.page_size) {
        (PhysAddr::Fixed(_), _) => 0,
        (PhysAddr::Chosen, _) => 1,
        (PhysAddr::Any, PageSize::Large) => 2,
        (PhysAddr::Any, PageSize::Small) => 3,
    }
}

/// Returns the errors that the fixed address of a region causes.
fn misplaced(region: &MemoryRegion, taken: &Range<u64>, platform: &Platform) -> Vec<PlanErrorKind> {
    let name = || region.name.clone();
    let mut kinds = Vec::new();
    if overlap(taken, &platform.kernel) {
        let (taken, kernel) = (taken.clone(), platform.kernel.clone());
        kinds.push(PlanErrorKind::RegionOnKernel {
            region: name(),
            taken,
            kernel,
        });
    }
    for (device, kernel) in platform.kernel_devices {
        if overlap(taken, kernel) {
            let (taken, kernel) = (taken.clone(), kernel.clone());
            kinds.push(PlanErrorKind::RegionOnKernelDevice {
                region: name(),
                taken,
                device,
                kernel,
            });
        }
    }
    let is_filled = matches!(region.fill, Fill::File { .. });
    let in_ram = platform.ram.start <= taken.start && taken.end <= platform.ram.end;
    if is_filled && !in_ram {
        let (taken, ram) = (taken.clone(), platform.ram.clone());
        kinds.push(PlanErrorKind::FillOutsideMemory {
            region: name(),
            taken,
            ram,
        });
    }
    if taken.end > platform.physical_end {
        let (taken, end) = (taken.clone(), platform.physical_end);
        kinds.push(PlanErrorKind::RegionOutside {
            region: name(),
            taken,
            end,
        });
    }
    kinds
}

/// Cuts a list of places into consecutive areas.
pub(crate) struct Carver(pub(crate) Vec<Extent>);

impl Carver {
    /// Takes the next `bytes` bytes from the list. The list must have at least this many bytes.
    pub(crate) fn take(&mut self, mut bytes: u64) -> Vec<Extent> {
        let mut taken = Vec::new();
        while bytes > 0 {
            let first = &mut self.0[0];
            let piece = Extent {
                paddr: first.paddr,
                bytes: first.bytes.min(bytes),
            };
            first.paddr += piece.bytes;
            first.bytes -= piece.bytes;
            if first.bytes == 0 {
                self.0.remove(0);
            }
            bytes -= piece.bytes;
            taken.push(piece);
        }
        taken
    }
}
