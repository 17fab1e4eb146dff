//! Makes the system from a draft, and resolves names to indices.
//!
//! The caller runs this stage only if no error was reported. Therefore every required value exists.

use crate::Source;
use crate::check::Names;
use crate::draft::{self, Draft, SetvarValue};
use crate::system::{
    Capability, Channel, Child, End, Fill, Irq, Map, MemoryRegion, PhysAddr, ProgramImage,
    ProtectionDomain, SetVar, SetVarValue, System, Vcpu, VirtualMachine,
};
use crate::warning::Warning;

/// Returns the system of `draft`, or `None` if a required value is missing.
pub(crate) fn system(
    draft: &Draft<'_>,
    names: &Names<'_>,
    source: Source,
    warnings: Vec<Warning>,
) -> Option<System> {
    let channels: Vec<Channel> = draft
        .channels
        .iter()
        .map(|channel| self::channel(channel, names))
        .collect::<Option<_>>()?;
    let mut pds: Vec<ProtectionDomain> = draft
        .pds
        .iter()
        .map(|pd| self::pd(pd, names))
        .collect::<Option<_>>()?;
    for index in 0..pds.len() {
        let (id, parent) = (pds[index].child_id, pds[index].parent);
        if let (Some(id), Some(parent)) = (id, parent) {
            pds[parent].children.push(Child { id, pd: index });
            pds[parent].needs_endpoint = true;
        }
    }
    for channel in &channels {
        let [a, b] = &channel.ends;
        for (end, other) in [(a, b), (b, a)] {
            pds[end.pd].notifications_mask |= u64::from(end.notify) << end.id;
            pds[end.pd].pps_mask |= u64::from(end.pp) << end.id;
            pds[other.pd].needs_endpoint |= end.pp;
        }
    }

    let mut memory_regions: Vec<MemoryRegion> =
        draft.regions.iter().map(region).collect::<Option<_>>()?;
    for setvar in pds.iter().flat_map(|pd| &pd.setvars) {
        if let SetVarValue::Paddr { region } = setvar.value {
            let phys_addr = &mut memory_regions[region].phys_addr;
            if *phys_addr == PhysAddr::Any {
                *phys_addr = PhysAddr::Chosen;
            }
        }
    }

    Some(System {
        source,
        protection_domains: pds,
        memory_regions,
        channels,
        domains: draft.domains.clone(),
        warnings,
    })
}

fn pd(pd: &draft::Pd<'_>, names: &Names<'_>) -> Option<ProtectionDomain> {
    let irqs: Vec<Irq> = pd.irqs.iter().map(irq).collect::<Option<_>>()?;
    let cpu = pd.cpu?;
    let virtual_machine = match &pd.vm {
        Some(vm) => Some(self::vm(vm, cpu, names)?),
        None => None,
    };
    Some(ProtectionDomain {
        span: pd.span,
        name: pd.name?.value.to_owned(),
        parent: pd.parent,
        child_id: pd.id.map(|id| id.value),
        children: Vec::new(),
        priority: pd.priority?.value,
        budget_us: pd.budget_us?.value,
        period_us: pd.period_us?.value,
        passive: pd.passive,
        stack_bytes: pd.stack_bytes?.value,
        cpu,
        smc: pd.smc,
        fpu: pd.fpu,
        domain: pd.domain,
        program_image: ProgramImage {
            path: pd.image?.value.into(),
            path_for_symbols: pd.image_for_symbols.map(|path| path.value.into()),
        },
        maps: pd
            .maps
            .iter()
            .map(|map| self::map(map, names))
            .collect::<Option<_>>()?,
        irqs_mask: irqs.iter().fold(0, |mask, irq| mask | 1 << irq.id),
        irqs,
        setvars: pd
            .setvars
            .iter()
            .map(|setvar| self::setvar(setvar, names))
            .collect::<Option<_>>()?,
        capabilities: pd
            .capabilities
            .iter()
            .map(|capability| self::capability(capability, names))
            .collect::<Option<_>>()?,
        needs_endpoint: virtual_machine.is_some(),
        virtual_machine,
        notifications_mask: 0,
        pps_mask: 0,
    })
}

fn vm(vm: &draft::Vm<'_>, pd_cpu: u8, names: &Names<'_>) -> Option<VirtualMachine> {
    let vcpu = |vcpu: &draft::Vcpu<'_>| {
        Some(Vcpu {
            span: vcpu.span,
            id: vcpu.id?.value,
            cpu: vcpu.cpu.unwrap_or(pd_cpu),
            ignored_setvar_id: vcpu.setvar_id.map(str::to_owned),
        })
    };
    Some(VirtualMachine {
        span: vm.span,
        name: vm.name?.value.to_owned(),
        priority: vm.priority?,
        budget_us: vm.budget_us?.value,
        period_us: vm.period_us?.value,
        vcpus: vm.vcpus.iter().map(vcpu).collect::<Option<_>>()?,
        maps: vm
            .maps
            .iter()
            .map(|map| self::map(map, names))
            .collect::<Option<_>>()?,
    })
}

fn irq(irq: &draft::Irq) -> Option<Irq> {
    let (id, number) = (irq.id?.value, irq.number?.value);
    Some(Irq {
        span: irq.span,
        id,
        number,
        trigger: irq.trigger,
    })
}

fn map(map: &draft::Map<'_>, names: &Names<'_>) -> Option<Map> {
    Some(Map {
        span: map.span,
        region: names.region(map.region?.value)?,
        vaddr: map.vaddr?.value,
        perms: map.perms,
        cached: map.cached,
    })
}

fn setvar(setvar: &draft::Setvar<'_>, names: &Names<'_>) -> Option<SetVar> {
    let value = match setvar.value? {
        SetvarValue::Vaddr(vaddr) => SetVarValue::Vaddr(vaddr),
        SetvarValue::Id(id) => SetVarValue::Id(id),
        SetvarValue::Size(name) => SetVarValue::Size {
            region: names.region(name.value)?,
        },
        SetvarValue::PrefillSize(name) => SetVarValue::PrefillSize {
            region: names.region(name.value)?,
        },
        SetvarValue::Paddr(name) => SetVarValue::Paddr {
            region: names.region(name.value)?,
        },
    };
    Some(SetVar {
        span: setvar.symbol.span,
        symbol: setvar.symbol.value.to_owned(),
        value,
    })
}

fn capability(capability: &draft::Capability<'_>, names: &Names<'_>) -> Option<Capability> {
    Some(Capability {
        span: capability.span,
        slot_index: capability.slot?.value,
        kind: capability.kind,
        pd: names.pd(capability.pd?.value)?,
    })
}

fn channel(channel: &draft::Channel<'_>, names: &Names<'_>) -> Option<Channel> {
    let [a, b] = &channel.ends;
    Some(Channel {
        span: channel.span,
        ends: [end(a, names)?, end(b, names)?],
    })
}

fn end(end: &draft::End<'_>, names: &Names<'_>) -> Option<End> {
    Some(End {
        span: end.span,
        pd: names.pd(end.pd?.value)?,
        id: end.id?.value,
        pp: end.pp,
        notify: end.notify,
    })
}

fn region(region: &draft::Region<'_>) -> Option<MemoryRegion> {
    let bytes = region.bytes?;
    let fill = match (region.prefill, region.boot_info) {
        (Some(file), _) => Fill::File {
            path: file.path.value.into(),
            bytes: file.bytes?,
        },
        (None, Some(what)) => Fill::BootInfo(what),
        (None, None) => Fill::Zero,
    };
    Some(MemoryRegion {
        span: region.span,
        name: region.name?.value.to_owned(),
        bytes,
        page_size: region.page_size,
        page_count: bytes / region.page_size.bytes(),
        phys_addr: region
            .phys_addr
            .map_or(PhysAddr::Any, |addr| PhysAddr::Fixed(addr.value)),
        fill,
    })
}
