//! Lays out a system in memory.

use boot_spec::Perms;
use microkit_abi::limits::SMALL_PAGE_BYTES;
use microkit_sdf::{self as sdf, System};

use crate::contents::{self, Contents};
use crate::convert;
use crate::error::{PlanError, PlanErrorKind, PlanErrors};
use crate::files::Files;
use crate::frames::Extent;
use crate::patch::{self, Patch};
use crate::place::{Carver, Placer};
use crate::plan::{Area, Plan, ProtectionDomain};
use crate::platform::Platform;
use crate::program::{self, Program, ProgramFiles};
use crate::space::{self, Top};
use crate::words;

/// Lays `system` out in the memory of `platform`. `files` provides the programs of the system and
/// the files that fill its regions.
///
/// `system` must have been parsed for the same files and the same kernel: `kernel.user_top` in its
/// `microkit_sdf::Options` must equal `platform.user_top`.
///
/// # Errors
///
/// Returns all errors of the layout. Some errors appear only after another error is fixed. A
/// program may contain any bytes. An invalid program is reported as an error.
pub fn plan(system: &System, platform: &Platform, files: &dyn Files) -> Result<Plan, PlanErrors> {
    let mut errors = beyond_limits(system, platform);
    let pds = &system.protection_domains;
    let read: Vec<Option<ProgramFiles>> = pds
        .iter()
        .map(|pd| program::read(pd, files, &mut errors))
        .collect();
    let mut programs: Vec<Option<Program<'_>>> = Vec::new();
    for (pd, files) in pds.iter().zip(&read) {
        programs.push(
            files
                .as_ref()
                .and_then(|files| program::parse(pd, files, &mut errors)),
        );
    }
    lay_out(system, platform, files, &programs, errors)
}

/// Lays `system` out as [`plan()`] does, but with one empty page in place of each program. Use this
/// function for programs that run elsewhere, such as in a test on the host. The kernel still gets
/// the same objects, channels and mappings.
///
/// ```
/// use microkit_image::{Platform, plan_without_programs};
/// use microkit_sdf::{Options, SearchPaths, parse};
///
/// let text = r#"
///     <system>
///         <protection_domain name="hello" priority="10">
///             <program_image path="hello.elf" />
///         </protection_domain>
///     </system>"#;
/// let files = SearchPaths(Vec::new());
/// let system = parse("hello.system", text, Options::new(&files))?;
/// let plan = plan_without_programs(&system, &Platform::QEMU_VIRT_AARCH64, &files)?;
/// assert_eq!(plan.boot_spec(0).pds[0].name, "hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Returns the errors of [`plan()`], except errors of programs.
pub fn plan_without_programs(
    system: &System,
    platform: &Platform,
    files: &dyn Files,
) -> Result<Plan, PlanErrors> {
    let errors = beyond_limits(system, platform);
    let pds = system.protection_domains.iter();
    let programs: Vec<_> = pds.map(|pd| Some(Program::empty(pd, system))).collect();
    lay_out(system, platform, files, &programs, errors)
}

/// Lays out a system with `programs`. A program with an error in `errors` is `None`.
fn lay_out(
    system: &System,
    platform: &Platform,
    files: &dyn Files,
    programs: &[Option<Program<'_>>],
    mut errors: Vec<PlanError>,
) -> Result<Plan, PlanErrors> {
    let pds = &system.protection_domains;
    let fill = |region| read_fill(region, files, &mut errors);
    let fills: Vec<Option<Contents>> = system.memory_regions.iter().map(fill).collect();
    for (pd, program) in pds.iter().zip(programs) {
        space::check(pd, program.as_ref(), system, platform, &mut errors);
    }

    let (mut placer, places) = Placer::new(&system.memory_regions, platform, &mut errors);
    let laid: Vec<Option<ProtectionDomain>> = pds
        .iter()
        .zip(programs)
        .map(|(pd, program)| {
            let program = program.as_ref()?;
            let patches = patch::of(pd, program, system, &places, &mut errors);
            protection_domain(pd, program, patches, platform, &mut placer)
        })
        .collect();
    placer.finish(&mut errors);

    let fail = |errors| Err(PlanErrors::new(system.source.clone(), errors));
    if !errors.is_empty() {
        return fail(errors);
    }
    // No error was reported, so no protection domain is missing.
    let protection_domains: Vec<_> = laid.into_iter().flatten().collect();
    let plan = Plan {
        name: system.source.name.clone(),
        platform: platform.clone(),
        contents: gather(&protection_domains, programs, &fills, &places),
        protection_domains,
        memory_regions: system
            .memory_regions
            .iter()
            .zip(places)
            .map(convert::memory_region)
            .collect(),
        channels: system.channels.iter().map(words::channel).collect(),
    };
    match plan.boot_spec(0).validate() {
        Ok(()) => Ok(plan),
        Err(errors) => {
            let error = |error| PlanError::new(PlanErrorKind::Spec(error), Vec::new());
            fail(errors.into_iter().map(error).collect())
        }
    }
}

/// Reports the requirements of the system that exceed the model kernel or the board.
fn beyond_limits(system: &System, platform: &Platform) -> Vec<PlanError> {
    let refusals = system.refusals_for_model().into_iter();
    let refusals = refusals.map(|refusal| PlanError::new(refusal.kind, refusal.labels));
    let mut errors: Vec<PlanError> = refusals.collect();
    for pd in &system.protection_domains {
        let name = || pd.name.clone();
        for irq in &pd.irqs {
            let (number, last) = (irq.number, platform.last_irq);
            if number > last.into() {
                let kind = PlanErrorKind::NoSuchIrq {
                    pd: name(),
                    number,
                    last,
                };
                errors.push(PlanError::at(irq.span, kind));
            } else if platform
                .kernel_irqs
                .iter()
                .any(|&kept| number == kept.into())
            {
                let kind = PlanErrorKind::KernelIrq { pd: name(), number };
                errors.push(PlanError::at(irq.span, kind));
            }
        }
    }
    for channel in &system.channels {
        if channel.ends[0].pd == channel.ends[1].pd {
            errors.push(PlanError::at(channel.span, PlanErrorKind::ChannelToItself));
        }
    }
    errors
}

/// Reads the file that fills a memory region, if the region has such a file.
fn read_fill(
    region: &sdf::MemoryRegion,
    files: &dyn Files,
    errors: &mut Vec<PlanError>,
) -> Option<Contents> {
    let sdf::Fill::File {
        path,
        bytes: expected,
    } = &region.fill
    else {
        return None;
    };
    let (name, path) = (region.name.clone(), path.clone());
    let kind = match files.read(&path) {
        Ok(bytes) if bytes.len() as u64 == *expected => {
            let mut contents = Contents::default();
            contents.write(0, &bytes);
            return Some(contents);
        }
        Ok(bytes) => {
            let (expected, found) = (*expected, bytes.len() as u64);
            PlanErrorKind::FillChanged {
                region: name,
                path,
                expected,
                found,
            }
        }
        Err(error) => PlanErrorKind::FillUnreadable {
            region: name,
            path,
            reason: error.to_string(),
        },
    };
    errors.push(PlanError::at(region.span, kind));
    None
}

/// Lays out one protection domain. Returns `None` if there is not enough memory, or if the address
/// space of the protection domain has a reported error.
fn protection_domain(
    pd: &sdf::ProtectionDomain,
    program: &Program<'_>,
    patches: Vec<Patch>,
    platform: &Platform,
    placer: &mut Placer,
) -> Option<ProtectionDomain> {
    let top = Top::new(pd, platform);
    let data = Perms {
        read: true,
        write: true,
        execute: false,
    };
    let buffer = top.ipc_buffer..top.ipc_buffer + SMALL_PAGE_BYTES;
    let mut ranges = Vec::new();
    for segment in program
        .segments
        .iter()
        .filter(|segment| segment.range().end <= top.guard)
    {
        ranges.push((space::pages(segment), segment.perms));
    }
    ranges.extend([(top.stack, data), (buffer, data)]);

    let bytes = ranges
        .iter()
        .fold(0_u64, |sum, (r, _)| sum.saturating_add(r.end - r.start));
    let mut places = Carver(placer.pd(&pd.name, pd.span, bytes)?);
    let mut areas: Vec<Area> = ranges
        .into_iter()
        .map(|(range, perms)| {
            let (vaddr, bytes) = (range.start, range.end - range.start);
            Area {
                vaddr,
                bytes,
                perms,
                extents: places.take(bytes),
            }
        })
        .collect();
    let (ipc_buffer, stack) = (areas.pop()?, areas.pop()?);
    Some(ProtectionDomain {
        name: pd.name.clone(),
        program: pd.program_image.path.clone(),
        priority: pd.priority,
        budget_us: pd.budget_us,
        period_us: pd.period_us,
        passive: pd.passive,
        fpu: pd.fpu,
        needs_endpoint: pd.needs_endpoint,
        parent: words::parent(pd),
        entry: program.entry,
        segments: areas,
        stack,
        ipc_buffer,
        maps: pd.maps.iter().map(convert::map).collect(),
        patches,
        irqs: pd.irqs.iter().map(words::irq).collect(),
        caps: pd.capabilities.iter().map(words::cap).collect(),
    })
}

/// Collects the contents of memory at boot: the programs with their patches, and the files that
/// fill memory regions.
fn gather(
    pds: &[ProtectionDomain],
    programs: &[Option<Program<'_>>],
    fills: &[Option<Contents>],
    places: &[Vec<Extent>],
) -> Vec<contents::Chunk> {
    let mut placed: Vec<(Contents, &[Extent])> = Vec::new();
    for (pd, program) in pds.iter().zip(programs.iter().flatten()) {
        for (segment, area) in program.segments.iter().zip(&pd.segments) {
            let mut contents = Contents::default();
            contents.write(segment.vaddr - area.vaddr, segment.file);
            let range = segment.range();
            // A patch goes to the segment that contains the symbol. Segments never share an
            // address, so this segment is the same as in the SDK's tool.
            for patch in pd
                .patches
                .iter()
                .filter(|patch| range.contains(&patch.vaddr))
            {
                contents.write(patch.vaddr - area.vaddr, &patch.value.to_bytes());
            }
            placed.push((contents, &area.extents));
        }
    }
    let fills = fills
        .iter()
        .zip(places)
        .filter_map(|(fill, extents)| Some((fill.as_ref()?, extents.as_slice())));
    let programs = placed
        .iter()
        .map(|(contents, extents)| (contents, *extents));
    contents::gather(programs.chain(fills))
}
