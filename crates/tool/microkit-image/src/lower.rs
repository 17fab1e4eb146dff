//! Lowers a plan to the boot spec for the model kernel.

use boot_spec::{BootSpec, Mapping, PageSize, Segment, Stack};

use crate::frames::Extent;
use crate::plan::{Area, MemoryRegion, Plan, ProtectionDomain};
use crate::words;

impl Plan {
    /// Makes the boot spec of the system. In the image, the segments follow one another from
    /// `first_offset`.
    ///
    /// Mappings are in ascending order, and adjacent mappings with the same properties are joined.
    /// A map without `read` gives no access and is left out.
    pub fn boot_spec(&self, first_offset: u64) -> BootSpec {
        let mut image_offset = first_offset;
        let segments = self.contents.iter().map(|chunk| {
            let segment = Segment {
                paddr: chunk.paddr,
                bytes: chunk.bytes.len() as u64,
                image_offset,
            };
            image_offset += segment.bytes;
            segment
        });
        let segments = segments.collect();
        let pds = self
            .protection_domains
            .iter()
            .map(|pd| self.domain_spec(pd))
            .collect();
        let channels = self.channels.clone();
        BootSpec {
            user_top: self.platform.user_top,
            pds,
            channels,
            segments,
        }
    }

    fn domain_spec(&self, pd: &ProtectionDomain) -> boot_spec::ProtectionDomain {
        boot_spec::ProtectionDomain {
            name: words::name(&pd.name).to_owned(),
            priority: pd.priority,
            budget_us: pd.budget_us,
            period_us: pd.period_us,
            passive: pd.passive,
            fpu: pd.fpu,
            needs_endpoint: pd.needs_endpoint,
            entry: pd.entry,
            stack: Stack {
                bottom: pd.stack.vaddr,
                bytes: pd.stack.bytes,
            },
            ipc_buffer: pd.ipc_buffer.vaddr,
            parent: pd.parent,
            mappings: merged(self.mappings(pd)),
            irqs: pd.irqs.clone(),
            caps: pd.caps.clone(),
        }
    }

    /// Returns all mappings of a protection domain, unsorted.
    fn mappings(&self, pd: &ProtectionDomain) -> Vec<Mapping> {
        let own = pd.own().flat_map(own_mappings);
        let maps = pd.maps.iter().filter(|map| map.perms.read).flat_map(|map| {
            let MemoryRegion {
                extents, page_size, ..
            } = &self.memory_regions[map.region];
            let first = Mapping {
                vaddr: map.vaddr,
                paddr: 0,
                bytes: 0,
                perms: map.perms,
                cached: map.cached,
                page_size: *page_size,
            };
            spread(first, extents)
        });
        own.chain(maps).collect()
    }
}

fn own_mappings(area: &Area) -> impl Iterator<Item = Mapping> {
    let first = Mapping {
        vaddr: area.vaddr,
        paddr: 0,
        bytes: 0,
        perms: area.perms,
        cached: true,
        page_size: PageSize::Small,
    };
    spread(first, &area.extents)
}

/// Makes one mapping for each extent, at adjacent virtual addresses from `first.vaddr`.
fn spread(first: Mapping, extents: &[Extent]) -> impl Iterator<Item = Mapping> {
    extents
        .iter()
        .scan(first.vaddr, move |vaddr, &Extent { paddr, bytes }| {
            let mapping = Mapping {
                vaddr: *vaddr,
                paddr,
                bytes,
                ..first
            };
            *vaddr += bytes;
            Some(mapping)
        })
}

/// Sorts mappings in ascending order, and joins each mapping that continues the previous mapping.
fn merged(mut mappings: Vec<Mapping>) -> Vec<Mapping> {
    mappings.sort_by_key(|mapping| mapping.vaddr);
    let mut merged: Vec<Mapping> = Vec::new();
    for next in mappings {
        match merged.last_mut() {
            Some(last) if continues(last, &next) => last.bytes += next.bytes,
            _ => merged.push(next),
        }
    }
    merged
}

/// Returns whether `next` begins where `last` ends and has the same properties.
fn continues(last: &Mapping, next: &Mapping) -> bool {
    let longer = Mapping {
        vaddr: last.vaddr.wrapping_add(last.bytes),
        paddr: last.paddr.wrapping_add(last.bytes),
        bytes: next.bytes,
        ..*last
    };
    longer == *next
}

#[cfg(test)]
mod tests {
    use super::*;
    use boot_spec::Perms;

    #[test]
    fn mappings_are_merged_if_and_only_if_one_continues_the_other() {
        let one = Mapping {
            vaddr: 0x1000,
            paddr: 0x8000,
            bytes: 0x1000,
            perms: Perms {
                read: true,
                write: false,
                execute: false,
            },
            cached: true,
            page_size: PageSize::Small,
        };
        let next = Mapping {
            vaddr: 0x2000,
            paddr: 0x9000,
            ..one
        };
        let check = |mappings: &[Mapping], expect: &[Mapping]| {
            assert_eq!(merged(mappings.to_vec()), expect);
        };
        let both = Mapping {
            bytes: 0x2000,
            ..one
        };
        check(&[one, next], &[both]);
        check(&[next, one], &[both]);
        check(&[], &[]);
        let write = Perms {
            write: true,
            ..one.perms
        };
        for other in [
            Mapping {
                vaddr: 0x3000,
                ..next
            },
            Mapping {
                paddr: 0xa000,
                ..next
            },
            Mapping {
                perms: write,
                ..next
            },
            Mapping {
                cached: false,
                ..next
            },
            Mapping {
                page_size: PageSize::Large,
                ..next
            },
        ] {
            check(&[one, other], &[one, other]);
        }
    }

    #[test]
    fn extents_follow_one_another() {
        let area = Area {
            vaddr: 0x1000,
            bytes: 0x3000,
            perms: Perms::default(),
            extents: vec![
                Extent {
                    paddr: 0x9000,
                    bytes: 0x1000,
                },
                Extent {
                    paddr: 0x5000,
                    bytes: 0x2000,
                },
            ],
        };
        let seen: Vec<_> = own_mappings(&area)
            .map(|m| (m.vaddr, m.paddr, m.bytes))
            .collect();
        assert_eq!(seen, [(0x1000, 0x9000, 0x1000), (0x2000, 0x5000, 0x2000)]);
    }
}
