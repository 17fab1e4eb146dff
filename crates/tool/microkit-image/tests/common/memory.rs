//! Sets up memory from an image like the model kernel does, and checks the invariants of a plan.

use std::collections::BTreeMap;
use std::ops::Range;

use boot_spec::{BootSpec, Mapping, ProtectionDomain};
use microkit_image::{Extent, Plan};

const PAGE: u64 = 0x1000;

/// A boot spec with the memory that it describes.
pub(crate) struct Machine {
    pub(crate) spec: BootSpec,
    /// The contents of memory by page. All other pages are zero.
    pages: BTreeMap<u64, Vec<u8>>,
}

impl Machine {
    /// Boots an image with the payload at `payload_offset`.
    pub(crate) fn boot(image: &[u8], payload_offset: usize) -> Self {
        let (header, rest) = image[payload_offset..].split_at(16);
        assert_eq!(header[..8], *b"MKLOAD\0\x01");
        let len = u64::from_le_bytes(header[8..].try_into().unwrap()) as usize;
        let spec = BootSpec::decode(&rest[..len]).unwrap();
        assert_eq!(spec.validate(), Ok(()));

        let mut pages: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        let mut end = (payload_offset + 16 + len).next_multiple_of(PAGE as usize);
        for segment in &spec.segments {
            let start = segment.image_offset as usize;
            assert_eq!(start, end, "segments follow one another");
            end = start + segment.bytes as usize;
            for (number, page) in image[start..end].chunks(PAGE as usize).enumerate() {
                let paddr = segment.paddr + number as u64 * PAGE;
                assert!(pages.insert(paddr, page.to_vec()).is_none());
            }
        }
        assert_eq!(image.len(), end, "nothing follows the segments");
        Self { spec, pages }
    }

    /// Returns the bytes that the protection domain `pd` reads at `vaddr`, or `None` if `pd` has no
    /// access.
    pub(crate) fn read(&self, pd: usize, vaddr: u64, bytes: u64) -> Option<Vec<u8>> {
        (vaddr..vaddr + bytes)
            .map(|vaddr| self.byte(pd, vaddr))
            .collect()
    }

    fn byte(&self, pd: usize, vaddr: u64) -> Option<u8> {
        let paddr = translate(&self.spec.pds[pd], vaddr)?;
        let page = self.pages.get(&(paddr - paddr % PAGE));
        Some(page.map_or(0, |page| page[(paddr % PAGE) as usize]))
    }
}

fn translate(pd: &ProtectionDomain, vaddr: u64) -> Option<u64> {
    let holds = |map: &&Mapping| (map.vaddr..map.vaddr + map.bytes).contains(&vaddr);
    let map = pd.mappings.iter().find(holds)?;
    Some(map.paddr + (vaddr - map.vaddr))
}

/// Checks the invariants of every plan.
pub(crate) fn check(plan: &Plan) {
    let spec = plan.boot_spec(0);
    assert_eq!(spec.validate(), Ok(()));
    no_memory_is_two_things(plan);
    for (number, pd) in spec.pds.iter().enumerate() {
        assert!(is_merged(&pd.mappings), "{:x?}", pd.mappings);
        for mapping in &pd.mappings {
            check_mapping(plan, number, mapping);
        }
        let guard = pd.stack.bottom - PAGE..pd.stack.bottom;
        let above = pd.ipc_buffer - PAGE..pd.ipc_buffer;
        for page in [guard, above] {
            assert!(
                page.step_by(PAGE as usize)
                    .all(|vaddr| translate(pd, vaddr).is_none())
            );
        }
    }
    let all: Vec<Range<u64>> = everything(plan).map(|(_, extent)| extent.range()).collect();
    for segment in &spec.segments {
        let mut pages = (segment.paddr..segment.paddr + segment.bytes).step_by(PAGE as usize);
        assert!(pages.all(|page| all.iter().any(|range| range.contains(&page))));
    }
}

/// Returns all memory that has an owner, and whether its address is fixed.
fn everything(plan: &Plan) -> impl Iterator<Item = (bool, Extent)> {
    let own = plan.protection_domains.iter().flat_map(|pd| pd.own());
    let own = own
        .flat_map(|area| &area.extents)
        .map(|extent| (false, *extent));
    let regions = plan.memory_regions.iter();
    own.chain(regions.flat_map(|r| r.extents.iter().map(|extent| (r.is_fixed, *extent))))
}

fn no_memory_is_two_things(plan: &Plan) {
    let mut all: Vec<(bool, Extent)> = everything(plan).collect();
    all.sort_by_key(|(_, extent)| *extent);
    for pair in all.windows(2) {
        assert!(pair[0].1.end() <= pair[1].1.paddr, "{pair:x?}");
    }
    let (ram, kernel) = (&plan.platform.ram, &plan.platform.kernel);
    for (is_fixed, extent) in all {
        assert!(extent.bytes > 0 && extent.paddr % PAGE == 0 && extent.bytes % PAGE == 0);
        assert!(
            extent.end() <= kernel.start || kernel.end <= extent.paddr,
            "{extent:x?}"
        );
        assert!(
            is_fixed || ram.start <= extent.paddr && extent.end() <= ram.end,
            "{extent:x?}"
        );
    }
}

/// Checks that each page of a mapping is private memory of the protection domain or part of a
/// region that the protection domain maps at this address. The permissions must be the same.
fn check_mapping(plan: &Plan, number: usize, mapping: &Mapping) {
    let pd = &plan.protection_domains[number];
    let mut places = Vec::new();
    for area in pd.own() {
        places.push((area.vaddr, area.perms, &area.extents));
    }
    for map in &pd.maps {
        places.push((
            map.vaddr,
            map.perms,
            &plan.memory_regions[map.region].extents,
        ));
    }
    for offset in (0..mapping.bytes).step_by(mapping.page_size.bytes() as usize) {
        let (vaddr, paddr) = (mapping.vaddr + offset, mapping.paddr + offset);
        let found = places.iter().any(|(start, perms, extents)| {
            let at = vaddr
                .checked_sub(*start)
                .and_then(|offset| physical(extents, offset));
            at == Some(paddr) && *perms == mapping.perms
        });
        assert!(
            found,
            "`{}` has {vaddr:#x} at {paddr:#x} and nothing says why",
            pd.name
        );
    }
}

fn physical(extents: &[Extent], mut offset: u64) -> Option<u64> {
    for extent in extents {
        if offset < extent.bytes {
            return Some(extent.paddr + offset);
        }
        offset -= extent.bytes;
    }
    None
}

fn is_merged(mappings: &[Mapping]) -> bool {
    mappings.windows(2).all(|pair| {
        let next = Mapping {
            vaddr: pair[0].vaddr + pair[0].bytes,
            paddr: pair[0].paddr + pair[0].bytes,
            bytes: pair[1].bytes,
            ..pair[0]
        };
        pair[0].vaddr + pair[0].bytes <= pair[1].vaddr && next != pair[1]
    })
}
