//! A checked system file as what a run needs: what the kernel is told, what each protection domain
//! finds in its symbols, and the memory that they share.

use std::fs;
use std::sync::atomic::AtomicBool;

use boot_spec::{BootSpec, Mapping, PageSize, Perms, Stack};
use microkit_abi::limits::{self, SMALL_PAGE_BYTES};
use microkit_image::words;
use microkit_sdf::{self as sdf, Fill, SearchPaths, SetVarValue};
use sel4_microkit::host::{HostRegion, ProtectionDomain, Symbol};

use crate::system::SystemError;

/// Where the programs of protection domains begin, if no memory region is there.
const FIRST_ENTRY: u64 = 0x20_0000;

/// The first physical address that is handed out.
const FIRST_PADDR: u64 = 0x6000_0000;

/// A system, for any number of runs.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) spec: BootSpec,
    pub(crate) domains: Vec<Domain>,
    pub(crate) regions: Vec<Region>,
    /// Whether a run has the regions' memory.
    pub(crate) is_running: AtomicBool,
}

/// A protection domain.
#[derive(Debug)]
pub(crate) struct Domain {
    pub(crate) name: &'static str,
    /// The path of its program, as the system file has it.
    pub(crate) program: String,
    pub(crate) identity: ProtectionDomain,
    pub(crate) symbols: &'static [Symbol],
    pub(crate) maps: Vec<Map>,
}

/// A memory region in an address space.
#[derive(Debug, Copy, Clone)]
pub(crate) struct Map {
    pub(crate) region: usize,
    pub(crate) vaddr: u64,
    pub(crate) perms: Perms,
}

/// A memory region.
#[derive(Debug)]
pub(crate) struct Region {
    /// Its memory, which is never freed: programs have it as long as they like.
    pub(crate) memory: &'static HostRegion,
    /// What it holds at first, before zeros.
    pub(crate) fill: Vec<u64>,
    /// Whether several protection domains map it.
    pub(crate) is_shared: bool,
}

pub(crate) fn lower(system: &sdf::System, files: &SearchPaths) -> Result<Image, SystemError> {
    let mut paddrs = Paddrs { next: FIRST_PADDR };
    let region_paddrs: Vec<u64> = system
        .memory_regions
        .iter()
        .map(|region| paddrs.take(region.bytes, region.page_size.bytes()))
        .collect();
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
    let user_top = sdf::Kernel::QEMU_VIRT_AARCH64.user_top;
    let pds = system
        .protection_domains
        .iter()
        .map(|pd| domain_spec(pd, system, user_top, &region_paddrs, &mut paddrs))
        .collect();
    let spec = BootSpec {
        user_top,
        pds,
        channels: system.channels.iter().map(words::channel).collect(),
        segments: Vec::new(),
    };
    let domains = system
        .protection_domains
        .iter()
        .map(|pd| domain(pd, system, &regions, &region_paddrs))
        .collect();
    Ok(Image {
        spec,
        domains,
        regions,
        is_running: AtomicBool::new(false),
    })
}

/// Hands out physical addresses.
struct Paddrs {
    next: u64,
}

impl Paddrs {
    fn take(&mut self, bytes: u64, alignment: u64) -> u64 {
        let paddr = self.next.next_multiple_of(alignment);
        self.next = paddr + bytes;
        paddr
    }
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
            let found = files.find(path).ok_or(std::io::ErrorKind::NotFound.into());
            let bytes = found.and_then(fs::read).map_err(unreadable)?;
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

fn domain(
    pd: &sdf::ProtectionDomain,
    system: &sdf::System,
    regions: &[Region],
    region_paddrs: &[u64],
) -> Domain {
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
                    let fixed = system.setvar_value(setvar.value);
                    Symbol::word(symbol, fixed.unwrap_or(region_paddrs[region]))
                }
                value => Symbol::word(symbol, system.setvar_value(value).unwrap_or(0)),
            }
        })
        .collect();
    Domain {
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
        maps: pd
            .maps
            .iter()
            .map(|map| Map {
                region: map.region,
                vaddr: map.vaddr,
                perms: words::perms(map.perms),
            })
            .collect(),
    }
}

fn domain_spec(
    pd: &sdf::ProtectionDomain,
    system: &sdf::System,
    user_top: u64,
    region_paddrs: &[u64],
    paddrs: &mut Paddrs,
) -> boot_spec::ProtectionDomain {
    let ipc_buffer = limits::ipc_buffer_address(user_top);
    let stack_top = limits::stack_top(user_top);
    let stack = Stack {
        bottom: stack_top - pd.stack_bytes,
        bytes: pd.stack_bytes,
    };
    let is_taken = |page: u64| {
        pd.maps.iter().any(|map| {
            let end = map.vaddr + system.memory_regions[map.region].bytes;
            map.vaddr < page + SMALL_PAGE_BYTES && page < end
        })
    };
    let mut entry = FIRST_ENTRY;
    while is_taken(entry) {
        entry += SMALL_PAGE_BYTES;
    }
    let mut own = |vaddr, bytes, execute: bool| Mapping {
        vaddr,
        paddr: paddrs.take(bytes, SMALL_PAGE_BYTES),
        bytes,
        perms: Perms {
            read: true,
            write: !execute,
            execute,
        },
        cached: true,
        page_size: PageSize::Small,
    };
    let mut mappings = vec![
        own(entry, SMALL_PAGE_BYTES, true),
        own(stack.bottom, stack.bytes, false),
        own(ipc_buffer, SMALL_PAGE_BYTES, false),
    ];
    // A map without `read` gives no access.
    for map in pd.maps.iter().filter(|map| map.perms.read) {
        let region = &system.memory_regions[map.region];
        mappings.push(Mapping {
            vaddr: map.vaddr,
            paddr: region_paddrs[map.region],
            bytes: region.bytes,
            perms: words::perms(map.perms),
            cached: map.cached,
            page_size: words::page_size(region.page_size),
        });
    }
    boot_spec::ProtectionDomain {
        name: words::name(&pd.name).to_owned(),
        priority: pd.priority,
        budget_us: pd.budget_us,
        period_us: pd.period_us,
        passive: pd.passive,
        fpu: pd.fpu,
        needs_endpoint: pd.needs_endpoint,
        entry,
        stack,
        ipc_buffer,
        parent: words::parent(pd),
        mappings,
        irqs: pd.irqs.iter().map(words::irq).collect(),
        caps: pd.capabilities.iter().map(words::cap).collect(),
    }
}
