//! Lays out the address space of a protection domain, and checks that nothing overlaps.
//!
//! From the top down, an address space has the IPC buffer in the last page, an unmapped page, the
//! stack and another unmapped page (the guard page). The program and the mapped memory regions are
//! below the guard page. The SDK's tool has the same layout (*builder*), but allows a region in the
//! guard page.

use std::ops::Range;

use microkit_abi::limits::{self, SMALL_PAGE_BYTES};
use microkit_sdf::{Map, ProtectionDomain, System};

use crate::elf::Segment;
use crate::error::{PlanError, PlanErrorKind};
use crate::platform::{Platform, overlap};
use crate::program::{self, Program};
use crate::program_error::ProgramError;

/// The places of the stack and the IPC buffer of a protection domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Top {
    pub(crate) stack: Range<u64>,
    pub(crate) ipc_buffer: u64,
    /// The first address of the guard page below the stack.
    pub(crate) guard: u64,
}

impl Top {
    /// Computes the top of the address space of `pd`. If the stack does not fit, no addresses are
    /// left below the stack.
    pub(crate) fn new(pd: &ProtectionDomain, platform: &Platform) -> Self {
        let ipc_buffer = limits::ipc_buffer_address(platform.user_top);
        let stack_top = limits::stack_top(platform.user_top);
        let bottom = stack_top.saturating_sub(pd.stack_bytes);
        let guard = bottom.saturating_sub(SMALL_PAGE_BYTES);
        Self {
            stack: bottom..stack_top,
            ipc_buffer,
            guard,
        }
    }
}

/// Returns the pages of a segment. The segment must end below the last page of the address space.
pub(crate) fn pages(segment: &Segment<'_>) -> Range<u64> {
    let Range { start, end } = segment.range();
    start - start % SMALL_PAGE_BYTES..end.next_multiple_of(SMALL_PAGE_BYTES)
}

/// Reports every overlap in the address space of `pd`.
pub(crate) fn check(
    pd: &ProtectionDomain,
    program: Option<&Program<'_>>,
    system: &System,
    platform: &Platform,
    errors: &mut Vec<PlanError>,
) {
    let top = Top::new(pd, platform);
    check_maps(pd, &top, system, errors);
    let Some(program) = program else { return };

    let mut report = |span, error| {
        errors.push(program::error_in(&pd.program_image.path, pd, span, error));
    };
    let mut below_stack: Vec<&Segment<'_>> = Vec::new();
    for segment in &program.segments {
        let index = segment.index;
        if !segment.perms.read {
            report(pd.span, ProgramError::SegmentNotReadable { index });
        }
        if segment.range().end <= top.guard {
            below_stack.push(segment);
        } else {
            let (taken, limit) = (segment.range(), top.guard);
            report(
                pd.span,
                ProgramError::SegmentOnStack {
                    index,
                    taken,
                    limit,
                },
            );
        }
    }
    for error in shared_pages(&below_stack) {
        report(pd.span, error);
    }
    if program.is_whole && !has_entry(program) {
        report(
            pd.span,
            ProgramError::Entry {
                entry: program.entry,
            },
        );
    }
    for map in &pd.maps {
        for error in segments_under(map, &below_stack, system) {
            report(map.span, error);
        }
    }
}

fn check_maps(pd: &ProtectionDomain, top: &Top, system: &System, errors: &mut Vec<PlanError>) {
    for map in &pd.maps {
        let end = mapped(map, system).end;
        let region = system.memory_regions[map.region].name.clone();
        let (name, limit) = (pd.name.clone(), top.guard);
        if end > top.stack.start {
            let kind = PlanErrorKind::MapOnStack {
                pd: name,
                region,
                limit,
            };
            errors.push(PlanError::at(map.span, kind));
        } else if end > top.guard {
            let kind = PlanErrorKind::NoStackGuard {
                pd: name,
                region,
                end,
                limit,
            };
            errors.push(PlanError::at(map.span, kind));
        }
    }
}

/// Returns the virtual addresses of a mapped memory region.
pub(crate) fn mapped(map: &Map, system: &System) -> Range<u64> {
    map.vaddr
        ..map
            .vaddr
            .saturating_add(system.memory_regions[map.region].bytes)
}

fn shared_pages(segments: &[&Segment<'_>]) -> Vec<ProgramError> {
    let mut sorted = segments.to_vec();
    sorted.sort_by_key(|segment| segment.vaddr);
    let mut errors = Vec::new();
    let mut sorted = sorted.into_iter();
    let Some(mut highest) = sorted.next() else {
        return errors;
    };
    for segment in sorted {
        let page = pages(segment).start;
        if page < pages(highest).end {
            let (one, other) = (
                highest.index.min(segment.index),
                highest.index.max(segment.index),
            );
            errors.push(ProgramError::SegmentsShareAPage { one, other, page });
        }
        if segment.range().end > highest.range().end {
            highest = segment;
        }
    }
    errors
}

/// Returns whether the first instruction is in an executable segment.
fn has_entry(program: &Program<'_>) -> bool {
    const INSTRUCTION_BYTES: u64 = 4;
    program.segments.iter().any(|segment| {
        let Range { start, end } = segment.range();
        segment.perms.execute
            && (start..end).contains(&program.entry)
            && end - program.entry >= INSTRUCTION_BYTES
    })
}

/// Returns an error for each segment that the mapping of a memory region overlaps.
///
/// The SDK's tool rounds up the length of a segment, not its end. So an unaligned segment can cover
/// one more page in the tool. A mapping in that page is an error here too.
fn segments_under(map: &Map, segments: &[&Segment<'_>], system: &System) -> Vec<ProgramError> {
    let region = &system.memory_regions[map.region];
    let mapped = mapped(map, system);
    let highest = segments
        .iter()
        .map(|segment| pages(segment).end)
        .max()
        .unwrap_or(0);
    let under = segments.iter().filter(|segment| {
        let pages = pages(segment);
        let rounded = segment.vaddr + segment.mem_bytes.next_multiple_of(SMALL_PAGE_BYTES);
        overlap(&mapped, &(pages.start..pages.end.max(rounded)))
    });
    under
        .map(|segment| ProgramError::SegmentUnderMap {
            index: segment.index,
            taken: segment.range(),
            region: region.name.clone(),
            mapped: mapped.clone(),
            free: (highest + SMALL_PAGE_BYTES).next_multiple_of(region.page_size.bytes()),
        })
        .collect()
}
