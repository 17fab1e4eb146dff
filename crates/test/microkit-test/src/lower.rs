//! Lowers a checked system file to the data of a run: the kernel's system description, the symbols
//! of each protection domain, and the shared memory.

use std::sync::atomic::AtomicBool;

use boot_spec::BootSpec;
use microkit_image::{Files, Map, Plan, Platform, plan_without_programs};
use microkit_sdf::{self as sdf, Fill, SearchPaths, SetVarValue};
use sel4_microkit::host::{HostRegion, ProtectionDomain, Symbol};

use crate::system::SystemError;

/// The data of a system, for any number of runs.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) spec: BootSpec,
    pub(crate) pds: Vec<Pd>,
    pub(crate) regions: Vec<Region>,
    /// Whether a run currently uses the memory of the regions.
    pub(crate) is_running: AtomicBool,
}

/// A protection domain.
#[derive(Debug)]
pub(crate) struct Pd {
    pub(crate) name: &'static str,
    /// The path of the PD's program, as written in the system file.
    pub(crate) program: String,
    pub(crate) identity: ProtectionDomain,
    pub(crate) symbols: &'static [Symbol],
    pub(crate) maps: Vec<Map>,
}

/// A memory region.
#[derive(Debug)]
pub(crate) struct Region {
    /// The memory of the region. The memory is never freed, because programs may keep references to
    /// it.
    pub(crate) memory: &'static HostRegion,
    /// The initial words of the region. All later words are zero.
    pub(crate) fill: Vec<u64>,
    /// Whether several protection domains map the region.
    pub(crate) is_shared: bool,
}

/// Lowers a system. `microkit-image` creates the kernel's system description, and this module
/// creates the symbols and the memory of the programs.
pub(crate) fn lower(system: &sdf::System, files: &SearchPaths) -> Result<Image, SystemError> {
    let plan = plan_without_programs(system, &Platform::QEMU_VIRT_AARCH64, files);
    let plan = plan.map_err(|errors| SystemError::File(errors.to_text()))?;
    let regions = system
        .memory_regions
        .iter()
        .enumerate()
        .map(|(index, region)| {
            let maps = |pd: &&sdf::ProtectionDomain| pd.maps.iter().any(|map| map.region == index);
            let is_shared = system.protection_domains.iter().filter(maps).count() > 1;
            lower_region(region, is_shared, files)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let pds = system.protection_domains.iter();
    let pds = pds.zip(&plan.protection_domains);
    let pds = pds.map(|(pd, planned)| lower_pd(pd, planned, system, &plan, &regions));
    Ok(Image {
        pds: pds.collect(),
        spec: plan.boot_spec(0),
        regions,
        is_running: AtomicBool::new(false),
    })
}

fn lower_region(
    region: &sdf::MemoryRegion,
    is_shared: bool,
    files: &SearchPaths,
) -> Result<Region, SystemError> {
    let count = (region.bytes / 8) as usize;
    let fill = match &region.fill {
        Fill::File { path, .. } => {
            let unreadable = |error| SystemError::Fill {
                region: region.name.clone(),
                path: path.clone(),
                error,
            };
            let bytes = files.read(path).map_err(unreadable)?;
            let word = |chunk: &[u8]| {
                let mut word = [0; 8];
                word[..chunk.len()].copy_from_slice(chunk);
                u64::from_le_bytes(word)
            };
            bytes.chunks(8).take(count).map(word).collect()
        }
        Fill::Zero | Fill::BootInfo(_) => Vec::new(),
    };
    Ok(Region {
        memory: Box::leak(Box::new(HostRegion::new(count))),
        fill,
        is_shared,
    })
}

fn lower_pd(
    pd: &sdf::ProtectionDomain,
    planned: &microkit_image::ProtectionDomain,
    system: &sdf::System,
    plan: &Plan,
    regions: &[Region],
) -> Pd {
    let name: &'static str = pd.name.clone().leak();
    let symbols: Vec<Symbol> = pd
        .setvars
        .iter()
        .map(|setvar| {
            let symbol = setvar.symbol.clone().leak();
            let region_at = |vaddr| pd.maps.iter().find(|map| map.vaddr == vaddr);
            match setvar.value {
                SetVarValue::Vaddr(vaddr) => match region_at(vaddr) {
                    Some(map) => Symbol::mapping(symbol, regions[map.region].memory),
                    None => Symbol::word(symbol, vaddr),
                },
                SetVarValue::Paddr { region } => {
                    let extents = &plan.memory_regions[region].extents;
                    Symbol::word(symbol, extents.first().map_or(0, |extent| extent.paddr))
                }
                value => Symbol::word(symbol, system.setvar_value(value).unwrap_or(0)),
            }
        })
        .collect();
    Pd {
        name,
        program: pd.program_image.path.to_string_lossy().into_owned(),
        identity: ProtectionDomain {
            name,
            passive: pd.passive,
            irqs: pd.irqs_mask,
            notifications: pd.notifications_mask,
            pps: pd.pps_mask,
        },
        symbols: symbols.leak(),
        maps: planned.maps.clone(),
    }
}
