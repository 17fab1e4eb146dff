//! Checks memory regions and mappings: their addresses and page sizes.

use microkit_abi::limits;

use super::Names;
use crate::Span;
use crate::draft::{At, Draft, Map, Region, SetvarValue};
use crate::element::Context;
use crate::error::SdfErrorKind;
use crate::system::PageSize;
use crate::warning::WarningKind;
use crate::wording::Hex;

/// The part of an address space that maps may use. `end` is `None` if the end is unknown.
struct Space {
    end: Option<u64>,
    why: &'static str,
}

/// An item that occupies the addresses from `start` up to `end`.
struct Range<'a> {
    name: &'a str,
    start: u64,
    end: u64,
    span: Span,
}

/// Checks that each map is aligned, in its address space, and separate from the other maps (manual,
/// *`protection_domain`*).
pub(super) fn maps(draft: &Draft<'_>, names: &Names<'_>, cx: &Context<'_>) {
    let kernel = cx.options.kernel;
    for pd in &draft.pds {
        let end = pd.stack_bytes.map(|stack| kernel.pd_map_end(stack.value));
        let why = "the stack and the IPC buffer of a protection domain lie there";
        maps_of_one(&pd.maps, Space { end, why }, draft, names, cx);
        if let Some(vm) = &pd.vm {
            let why = "the address space of a virtual machine ends there";
            let space = Space {
                end: Some(kernel.vm_map_end()),
                why,
            };
            maps_of_one(&vm.maps, space, draft, names, cx);
        }
    }
    let mut used = vec![false; draft.regions.len()];
    for index in all_maps(draft).filter_map(|map| names.region(map.region?.value)) {
        used[index] = true;
    }
    for (region, used) in draft.regions.iter().zip(used) {
        if let (Some(name), false) = (region.name, used) {
            let kind = WarningKind::UnusedRegion {
                region: name.value.to_owned(),
            };
            cx.warn(name.span, kind);
        }
    }
}

/// Reports symbols that are set to address 0. Memory can be mapped at address 0, but the program
/// cannot detect the mapping: an unset symbol is also 0, and a pointer to 0 is null in Rust and in
/// C.
pub(super) fn addresses_of_0(draft: &Draft<'_>, names: &Names<'_>, cx: &Context<'_>) {
    let is_at_0 = |name: At<&str>| {
        let region = names.region(name.value).map(|index| &draft.regions[index]);
        region.is_some_and(|region| region.phys_addr.is_some_and(|at| at.value == 0))
    };
    for pd in &draft.pds {
        for setvar in &pd.setvars {
            let remedy = match setvar.value {
                Some(SetvarValue::Vaddr(0)) => "map the region at 0x1000 or higher",
                Some(SetvarValue::Paddr(region)) if is_at_0(region) => {
                    "choose a `phys_addr` of 0x1000 or higher, or leave it out"
                }
                _ => continue,
            };
            let symbol = setvar.symbol.value.to_owned();
            let kind = SdfErrorKind::NullAddress { symbol, remedy };
            cx.error(setvar.symbol.span, kind);
        }
        for map in &pd.maps {
            if let (Some(region), Some(At { value: 0, span })) = (map.region, map.vaddr) {
                let region = region.value.to_owned();
                cx.warn(span, WarningKind::NullPage { region });
            }
        }
    }
}

fn all_maps<'d, 'a>(draft: &'d Draft<'a>) -> impl Iterator<Item = &'d Map<'a>> {
    let of_vm = |pd: &'d crate::draft::Pd<'a>| pd.vm.iter().flat_map(|vm| &vm.maps);
    draft
        .pds
        .iter()
        .flat_map(move |pd| pd.maps.iter().chain(of_vm(pd)))
}

fn maps_of_one(
    maps: &[Map<'_>],
    space: Space,
    draft: &Draft<'_>,
    names: &Names<'_>,
    cx: &Context<'_>,
) {
    let mut ranges = Vec::new();
    for map in maps {
        let region = map.region.and_then(|name| names.region(name.value));
        let region = region.map(|index| &draft.regions[index]);
        let bytes = region.and_then(|region| region.bytes);
        let name = map.region.map_or("", |name| name.value);
        if bytes == Some(0) {
            cx.error(
                map.span,
                SdfErrorKind::MapOfNothing {
                    region: name.to_owned(),
                },
            );
        }
        let Some(vaddr) = map.vaddr else { continue };

        let multiple = region
            .map_or(PageSize::Small, |region| region.page_size)
            .bytes();
        if region.is_some() && !vaddr.value.is_multiple_of(multiple) {
            let why = "pages are mapped at multiples of their size";
            let value = vaddr.value;
            let kind = SdfErrorKind::NotAligned {
                attribute: "vaddr",
                value,
                multiple,
                why,
            };
            cx.error(vaddr.span, kind);
        }
        // At least one byte, because the tool checks the first address even of an empty region.
        let end = vaddr.value.checked_add(bytes.unwrap_or(1).max(1));
        let Some(limit) = space.end else { continue };
        match end {
            Some(end) if end <= limit => {
                if bytes.is_some_and(|bytes| bytes > 0) {
                    ranges.push(Range {
                        name,
                        start: vaddr.value,
                        end,
                        span: vaddr.span,
                    });
                }
            }
            _ => {
                let kind = SdfErrorKind::MapTooHigh {
                    end: Hex(end),
                    limit,
                    why: space.why,
                };
                cx.error(vaddr.span, kind);
            }
        }
    }
    overlaps(ranges, cx, |one, other| SdfErrorKind::MapOverlap {
        one: one.name.to_owned(),
        vaddr: one.start,
        other: other.name.to_owned(),
        other_vaddr: other.start,
        other_end: other.end,
    });
}

/// Reports ranges that overlap, at the place of the later range in the file.
fn overlaps(
    mut ranges: Vec<Range<'_>>,
    cx: &Context<'_>,
    kind: impl Fn(&Range<'_>, &Range<'_>) -> SdfErrorKind,
) {
    ranges.sort_by_key(|range| range.start);
    let mut ranges = ranges.into_iter();
    let Some(mut highest) = ranges.next() else {
        return;
    };
    for range in ranges {
        // The second condition allows an empty range at the start of another range.
        if range.start < highest.end && highest.start < range.end {
            let (earlier, later) = if range.span < highest.span {
                (&range, &highest)
            } else {
                (&highest, &range)
            };
            cx.clash(
                later.span,
                earlier.span,
                "what is there",
                kind(later, earlier),
            );
        }
        if range.end > highest.end {
            highest = range;
        }
    }
}

/// Checks that regions with a physical address do not overlap (manual, *`memory_region`*).
pub(super) fn physical(draft: &Draft<'_>, cx: &Context<'_>) {
    let mut ranges = Vec::new();
    for region in &draft.regions {
        let (Some(start), Some(bytes)) = (region.phys_addr, region.bytes) else {
            continue;
        };
        let name = region.name.map_or("", |name| name.value);
        match start.value.checked_add(bytes) {
            Some(end) => {
                ranges.push(Range {
                    name,
                    start: start.value,
                    end,
                    span: start.span,
                });
            }
            None => {
                let kind = SdfErrorKind::PhysWraps {
                    phys_addr: start.value,
                    bytes,
                };
                cx.error(start.span, kind);
            }
        }
    }
    overlaps(ranges, cx, |one, other| SdfErrorKind::PhysOverlap {
        one: one.name.to_owned(),
        phys_addr: one.start,
        other: other.name.to_owned(),
        other_phys_addr: other.start,
        other_end: other.end,
    });
}

/// Warns of cached mappings outside the board's memory, where only devices are. Allows a cached
/// mapping in a virtual machine, because the guest's own mapping selects the caching.
pub(super) fn devices(draft: &Draft<'_>, names: &Names<'_>, cx: &Context<'_>) {
    let Some((ram_start, ram_end)) = cx.options.kernel.ram else {
        return;
    };
    for pd in &draft.pds {
        for map in pd.maps.iter().filter(|map| map.cached) {
            let region = map.region.and_then(|name| names.region(name.value));
            let Some(region) = region.map(|index| &draft.regions[index]) else {
                continue;
            };
            let (Some(start), Some(bytes)) = (region.phys_addr, region.bytes) else {
                continue;
            };
            let start = start.value;
            if start < ram_end && start.saturating_add(bytes) > ram_start {
                continue;
            }
            let name = |name: Option<At<&str>>| name.map_or("", |name| name.value).to_owned();
            let kind = WarningKind::CachedDevice {
                region: name(region.name),
                phys_addr: start,
                pd: name(pd.name),
            };
            cx.warn(map.span, kind);
        }
    }
}

/// Chooses the page size of each region without `page_size`. The page size is large if the size and
/// all addresses are multiples of a large page (manual, *`memory_region`*).
pub(super) fn settle_page_sizes(draft: &mut Draft<'_>, names: &Names<'_>) {
    let aligned = |address: u64| address.is_multiple_of(limits::LARGE_PAGE_BYTES);
    let mut large: Vec<bool> = draft
        .regions
        .iter()
        .map(|region| {
            let phys_addr = region.phys_addr.map_or(0, |address| address.value);
            !region.page_size_written && region.bytes.is_some_and(aligned) && aligned(phys_addr)
        })
        .collect();
    for map in all_maps(draft) {
        let index = map.region.and_then(|name| names.region(name.value));
        if let (Some(index), Some(vaddr)) = (index, map.vaddr) {
            large[index] &= aligned(vaddr.value);
        }
    }
    for (region, large) in draft.regions.iter_mut().zip(large) {
        if large {
            region.page_size = PageSize::Large;
        }
    }
}

/// Checks the regions that a file fills: their pages, and the symbols for the length of the file.
pub(super) fn prefills(draft: &Draft<'_>, names: &Names<'_>, cx: &Context<'_>) {
    for region in &draft.regions {
        unfilled_pages(region, cx);
    }
    for setvar in draft.pds.iter().flat_map(|pd| &pd.setvars) {
        let Some(SetvarValue::PrefillSize(name)) = setvar.value else {
            continue;
        };
        let region = names.region(name.value).map(|index| &draft.regions[index]);
        if let Some(region) = region.filter(|region| region.prefill.is_none()) {
            let kind = SdfErrorKind::NoPrefill {
                region: name.value.to_owned(),
            };
            cx.clash(setvar.symbol.span, region.span, "the region", kind);
        }
    }
}

/// Reports a region with whole pages after the end of its file. The tool can fill a region only up
/// to the next page (*builder*).
fn unfilled_pages(region: &Region<'_>, cx: &Context<'_>) {
    let (Some(bytes), Some(prefill)) = (region.bytes, region.prefill) else {
        return;
    };
    let Some(file_bytes) = prefill.bytes else {
        return;
    };
    let last_page = bytes.saturating_sub(region.page_size.bytes());
    if last_page > file_bytes {
        let path = prefill.path.value.to_owned();
        cx.error(
            prefill.path.span,
            SdfErrorKind::PrefillTooShort { path, file_bytes },
        );
    }
}
