//! The address space of a protection domain (PD): a set of stage 2 tables.
//!
//! A PD runs with stage 1 translation off. So the PD's addresses are intermediate physical
//! addresses, and only the stage 2 tables control the PD's accesses. The tables start at level 1
//! like seL4's, so that a fault has the same level on both kernels. Addresses have 40 bits, but a
//! table at level 1 resolves only 39 bits. So the root consists of two concatenated tables (Arm
//! ARM, *Concatenated translation tables*).
//!
//! The tables do not change after boot.

use crate::layout::ADDRESS_BITS;
use aarch64_paging::MapError;
use aarch64_paging::descriptor::{PhysicalAddress, Stage2Attributes as Attributes};
use aarch64_paging::idmap::IdTranslation;
use aarch64_paging::paging::{
    Constraints, MemoryRegion, PageTable, RootTable, Stage2, Translation,
};
use alloc::boxed::Box;
use boot_spec::{Mapping, PageSize, Perms};
use core::ops::Range;
use core::ptr::NonNull;

/// The tables of one PD. The kernel never frees the tables.
#[derive(Debug)]
pub struct AddressSpace {
    halves: [RootTable<Stage2, Half>; 2],
}

impl AddressSpace {
    /// Creates tables with exactly these mappings.
    ///
    /// # Errors
    ///
    /// Fails if an address has more than [`ADDRESS_BITS`] bits.
    pub fn new(mappings: &[Mapping]) -> Result<Self, MapError> {
        let Root(halves) = Box::leak(Box::new(Root([PageTable::EMPTY; 2])));
        let mut space = Self {
            halves: halves.each_mut().map(|half| {
                let half = Half {
                    root: NonNull::from(half),
                    root_is_given: false,
                    others: IdTranslation::new(),
                };
                RootTable::new(half, ROOT_LEVEL, Stage2)
            }),
        };
        for mapping in mappings {
            space.map(mapping)?;
        }
        Ok(space)
    }

    /// Returns the physical address of the root tables, for `VTTBR_EL2`.
    pub fn tables(&self) -> u64 {
        self.halves[0].to_physical().0 as u64
    }

    fn map(&mut self, mapping: &Mapping) -> Result<(), MapError> {
        let flags = attributes(mapping.perms, mapping.cached);
        let (step, constraints) = match mapping.page_size {
            PageSize::Small => (
                mapping.bytes,
                Constraints::NO_BLOCK_MAPPINGS | Constraints::NO_CONTIGUOUS_HINT,
            ),
            // Large pages are mapped one at a time, so that they do not become a larger block.
            PageSize::Large => (
                microkit_abi::limits::LARGE_PAGE_BYTES,
                Constraints::NO_CONTIGUOUS_HINT,
            ),
        };
        for offset in (0..mapping.bytes).step_by(step.max(1) as usize) {
            let bytes = step.min(mapping.bytes - offset);
            for (half, range) in split(mapping.vaddr + offset, bytes) {
                let base = half as u64 * HALF_BYTES;
                let paddr = mapping.paddr + (base + range.start - mapping.vaddr);
                let region = MemoryRegion::new(range.start as usize, range.end as usize);
                let half = &mut self.halves[half];
                half.map_range(&region, PhysicalAddress(paddr as usize), flags, constraints)?;
            }
        }
        Ok(())
    }
}

/// Returns the attributes of a page's descriptor (Arm ARM, *Stage 2 Block and Page descriptors*).
/// The page is normal and write-back cacheable memory, or device memory of the strictest kind. The
/// page has only the access rights of `perms`.
pub fn attributes(perms: Perms, cached: bool) -> Attributes {
    let memory = if cached {
        Attributes::MEMATTR_NORMAL_INNER_WB
            | Attributes::MEMATTR_NORMAL_OUTER_WB
            | Attributes::SH_INNER
    } else {
        Attributes::MEMATTR_DEVICE_nGnRnE
    };
    let mut flags = Attributes::VALID | Attributes::ACCESS_FLAG | memory;
    flags.set(Attributes::S2AP_ACCESS_RO, perms.read);
    flags.set(Attributes::S2AP_ACCESS_WO, perms.write);
    flags.set(Attributes::XN, !perms.execute);
    flags
}

/// The level at which table walks start, as in `VTCR_EL2`.
const ROOT_LEVEL: usize = 1;

/// The size of the address range that one root table resolves.
const HALF_BYTES: u64 = 1 << (ADDRESS_BITS - 1);

/// A root of two tables. `VTTBR_EL2` requires an alignment to the size of both tables (Arm ARM,
/// *`VTTBR_EL2`*, `BADDR`).
#[repr(C, align(8192))]
struct Root([PageTable<Attributes>; 2]);

/// Splits a range at the middle of the address space. Each part is relative to the start of its
/// half.
fn split(start: u64, bytes: u64) -> impl Iterator<Item = (usize, Range<u64>)> {
    let end = start.saturating_add(bytes);
    let lower = (0, start..end.min(HALF_BYTES));
    let upper = (
        1,
        start.saturating_sub(HALF_BYTES)..end.saturating_sub(HALF_BYTES),
    );
    [lower, upper]
        .into_iter()
        .filter(|(_, range)| !range.is_empty())
}

/// The source of the tables of one half. The root already exists, and all other tables are
/// allocated. In the kernel, physical and virtual addresses are equal.
#[derive(Debug)]
struct Half {
    root: NonNull<PageTable<Attributes>>,
    root_is_given: bool,
    others: IdTranslation<Attributes>,
}

impl Translation<Attributes> for Half {
    fn allocate_table(&mut self) -> (NonNull<PageTable<Attributes>>, PhysicalAddress) {
        if self.root_is_given {
            return self.others.allocate_table();
        }
        // The first table that a `RootTable` allocates is its root.
        self.root_is_given = true;
        let address = self.root.as_ptr().expose_provenance();
        (self.root, PhysicalAddress(address))
    }

    unsafe fn deallocate_table(&mut self, table: NonNull<PageTable<Attributes>>) {
        if table != self.root {
            // SAFETY: 1. The caller promises that `table` came from `allocate_table` and is still
            // allocated. 2. `table` is not the root, so `others` allocated it.
            unsafe { self.others.deallocate_table(table) }
        }
    }

    fn physical_to_virtual(&self, address: PhysicalAddress) -> NonNull<PageTable<Attributes>> {
        self.others.physical_to_virtual(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use microkit_abi::limits::{LARGE_PAGE_BYTES, SMALL_PAGE_BYTES};

    const RW: Perms = Perms {
        read: true,
        write: true,
        execute: false,
    };

    fn map(vaddr: u64, paddr: u64, bytes: u64, page_size: PageSize) -> Mapping {
        Mapping {
            vaddr,
            paddr,
            bytes,
            perms: RW,
            cached: true,
            page_size,
        }
    }

    /// Returns the pages that a page table walk finds: virtual address, physical address, level,
    /// and the other bits of the descriptor.
    fn pages(space: &AddressSpace) -> Vec<(u64, u64, usize, usize)> {
        let mut pages = Vec::new();
        for (half, table) in space.halves.iter().enumerate() {
            let all = MemoryRegion::new(0, HALF_BYTES as usize);
            table
                .walk_range(&all, &mut |region, descriptor, level| {
                    if descriptor.is_valid() {
                        pages.push((
                            half as u64 * HALF_BYTES + region.start().0 as u64,
                            descriptor.output_address().0 as u64,
                            level,
                            descriptor.flags().bits(),
                        ));
                    }
                    Ok(())
                })
                .expect("the table resolves its half");
        }
        pages
    }

    #[track_caller]
    fn check(mappings: &[Mapping], expect: &[(u64, u64, usize)]) {
        let space = AddressSpace::new(mappings).expect("the addresses fit");
        let found: Vec<_> = pages(&space)
            .iter()
            .map(|page| (page.0, page.1, page.2))
            .collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn small_pages_stay_small_even_where_a_large_page_would_fit() {
        let pages: Vec<_> = (0..512)
            .map(|page| page * SMALL_PAGE_BYTES)
            .map(|offset| (0x20_0000 + offset, 0x6020_0000 + offset, 3))
            .collect();
        let mapping = map(0x20_0000, 0x6020_0000, LARGE_PAGE_BYTES, PageSize::Small);
        check(&[mapping], &pages);
    }

    #[test]
    fn large_pages_are_large_and_not_larger() {
        let gigabyte = map(0x4000_0000, 0x8000_0000, 1 << 30, PageSize::Large);
        let pages: Vec<_> = (0..512)
            .map(|page| page * LARGE_PAGE_BYTES)
            .map(|offset| (0x4000_0000 + offset, 0x8000_0000 + offset, 2))
            .collect();
        check(&[gigabyte], &pages);
    }

    #[test]
    fn both_halves_of_the_address_space_can_be_mapped() {
        let bytes = 2 * SMALL_PAGE_BYTES;
        check(
            &[
                map((1 << 40) - bytes, 0x6000_0000, bytes, PageSize::Small),
                map((1 << 39) - 0x1000, 0x6000_8000, bytes, PageSize::Small),
                map(0, 0x0900_0000, 0x1000, PageSize::Small),
            ],
            &[
                (0, 0x0900_0000, 3),
                ((1 << 39) - 0x1000, 0x6000_8000, 3),
                (1 << 39, 0x6000_9000, 3),
                ((1 << 40) - 0x2000, 0x6000_0000, 3),
                ((1 << 40) - 0x1000, 0x6000_1000, 3),
            ],
        );
    }

    #[test]
    fn addresses_that_are_too_high_are_refused() {
        for vaddr in [1 << 40, (1 << 40) - 0x1000, 1 << 52] {
            let mapping = map(vaddr, 0x6000_0000, 0x2000, PageSize::Small);
            assert!(AddressSpace::new(&[mapping]).is_err(), "{vaddr:#x}");
        }
    }

    #[test]
    fn the_root_is_two_concatenated_tables() {
        let space = AddressSpace::new(&[]).expect("there is nothing to map");
        assert_eq!(space.tables() % 8192, 0);
        let upper = space.halves[1].to_physical().0 as u64;
        assert_eq!(upper, space.tables() + 4096);
    }

    #[test]
    fn a_page_has_the_requested_access_rights_and_no_others() {
        const WRITE_BACK: usize = 0b1111 << 2;
        const INNER_SHAREABLE: usize = 0b11 << 8;
        const ACCESSED: usize = 1 << 10;
        const XN: usize = 1 << 54;
        for bits in 0..8_usize {
            let [read, write, execute] = [1, 2, 4].map(|bit| bits & bit != 0);
            let perms = Perms {
                read,
                write,
                execute,
            };
            let access = (bits & 3) << 6 | if execute { 0 } else { XN } | ACCESSED | 1;
            assert_eq!(attributes(perms, false).bits(), access);
            let cached = access | WRITE_BACK | INNER_SHAREABLE;
            assert_eq!(attributes(perms, true).bits(), cached);
            let mut mapping = map(0, 0x6000_0000, 0x1000, PageSize::Small);
            mapping.perms = perms;
            let space = AddressSpace::new(&[mapping]).expect("the address fits");
            // The descriptor of a page at level 3 has an additional bit.
            assert_eq!(pages(&space)[0].3, cached | 2);
        }
    }
}
