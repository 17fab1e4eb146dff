//! Asserts that each good system has the meaning in its `.facts` file: its facts, its warnings, and
//! the features that the model kernel does not support.

mod common;

use std::fmt::Write;
use std::fs;
use std::path::Path;

use microkit_sdf::{
    Fill, Map, PhysAddr, ProtectionDomain, Report, ScheduleEntry, SetVarValue, System, parse,
};

fn check(input: &Path, expect: &Path) {
    let text = fs::read_to_string(input).unwrap();
    let name = input.file_name().unwrap().to_str().unwrap();
    match parse(name, &text, common::options(&text, &common::files())) {
        Ok(system) => common::check_file(&facts(&system), expect),
        Err(errors) => panic!("{}", common::draw(&errors)),
    }
}

#[test]
fn each_good_system_means_what_is_beside_it() {
    for input in common::systems("good") {
        check(&input, &input.with_extension("facts"));
    }
}

/// Describes the meaning of a system, one fact per line.
fn facts(system: &System) -> String {
    let mut out = String::new();
    for (index, pd) in system.protection_domains.iter().enumerate() {
        write_pd(&mut out, system, index, pd).unwrap();
    }
    for region in &system.memory_regions {
        let phys_addr = match region.phys_addr {
            PhysAddr::Any => "anywhere".to_owned(),
            PhysAddr::Chosen => "where chosen".to_owned(),
            PhysAddr::Fixed(address) => format!("at {address:#x}"),
        };
        let fill = match &region.fill {
            Fill::Zero => "zero".to_owned(),
            Fill::File { path, bytes } => format!("{bytes} bytes of {}", path.display()),
            Fill::BootInfo(what) => format!("boot information {}", what.word()),
        };
        let (name, bytes, pages) = (&region.name, region.bytes, region.page_count);
        let page = region.page_size;
        writeln!(
            out,
            "region {name}: {bytes:#x} = {pages} {page:?}, {phys_addr}, {fill}"
        )
        .unwrap();
    }
    for channel in &system.channels {
        let [a, b] = channel.ends.each_ref().map(|end| {
            let name = &system.protection_domains[end.pd].name;
            let notify = if end.notify { " notify" } else { "" };
            let pp = if end.pp { " pp" } else { "" };
            format!("{name} {}{notify}{pp}", end.id)
        });
        writeln!(out, "channel: {a} -- {b}").unwrap();
    }
    if let Some(domains) = &system.domains {
        for domain in &domains.domains {
            writeln!(out, "domain {} = {}", domain.name, domain.id).unwrap();
        }
        let (start, shift) = (domains.start_index, domains.index_shift);
        writeln!(out, "schedule: start {start}, shift {shift:?}").unwrap();
        for entry in &domains.schedule {
            match entry {
                ScheduleEntry::Run {
                    domain, duration, ..
                } => {
                    writeln!(out, "    domain {domain}: {duration:?}").unwrap();
                }
                ScheduleEntry::End { .. } => writeln!(out, "    end").unwrap(),
            }
        }
    }
    if !system.warnings.is_empty() {
        let report = Report::new(system.source.clone(), system.warnings.clone());
        out += &format!("\n{}", common::draw(&report));
    }
    let refusals = system.refusals_for_model();
    if !refusals.is_empty() {
        out += &format!(
            "\n{}",
            common::draw(&Report::new(system.source.clone(), refusals))
        );
    }
    out
}

fn write_pd(
    out: &mut String,
    system: &System,
    index: usize,
    pd: &ProtectionDomain,
) -> std::fmt::Result {
    let name_of = |pd: usize| &system.protection_domains[pd].name;
    write!(out, "pd {index} {}", pd.name)?;
    if let (Some(parent), Some(id)) = (pd.parent, pd.child_id) {
        write!(out, ", child {id} of {}", name_of(parent))?;
    }
    writeln!(out)?;
    let (priority, budget, period) = (pd.priority, pd.budget_us, pd.period_us);
    let (stack, cpu) = (pd.stack_bytes, pd.cpu);
    writeln!(
        out,
        "    priority {priority}, {budget} of {period} us, stack {stack:#x}, cpu {cpu}"
    )?;
    let (passive, smc, fpu) = (pd.passive, pd.smc, pd.fpu);
    writeln!(
        out,
        "    passive {passive}, smc {smc}, fpu {fpu}, domain {:?}",
        pd.domain
    )?;
    let image = &pd.program_image;
    writeln!(
        out,
        "    image {:?}, symbols {:?}",
        image.path, image.path_for_symbols
    )?;
    let receives = if pd.needs_endpoint {
        "endpoint"
    } else {
        "notification"
    };
    let (irqs, notifications, pps) = (pd.irqs_mask, pd.notifications_mask, pd.pps_mask);
    writeln!(
        out,
        "    receives on {receives}, irqs {irqs:#x}, notifications {notifications:#x}, pps {pps:#x}"
    )?;
    for child in &pd.children {
        writeln!(out, "    child {} = {}", child.id, name_of(child.pd))?;
    }
    for map in &pd.maps {
        write_map(out, system, map)?;
    }
    for irq in &pd.irqs {
        writeln!(out, "    irq {} = {} {:?}", irq.id, irq.number, irq.trigger)?;
    }
    for setvar in &pd.setvars {
        let what = match setvar.value {
            SetVarValue::Vaddr(_) => "vaddr",
            SetVarValue::Id(_) => "id",
            SetVarValue::Size { .. } => "size",
            SetVarValue::PrefillSize { .. } => "prefill size",
            SetVarValue::Paddr { .. } => "paddr",
        };
        let value = system
            .setvar_value(setvar.value)
            .map(|value| format!("{value:#x}"));
        let value = value.unwrap_or_else(|| "yet to be chosen".to_owned());
        writeln!(out, "    {} = {what} {value}", setvar.symbol)?;
    }
    for capability in &pd.capabilities {
        let (slot, kind) = (capability.slot_index, capability.kind);
        writeln!(
            out,
            "    slot {slot} = {kind:?} of {}",
            name_of(capability.pd)
        )?;
    }
    if let Some(vm) = &pd.virtual_machine {
        let (priority, budget, period) = (vm.priority, vm.budget_us, vm.period_us);
        writeln!(
            out,
            "    vm {}: priority {priority}, {budget} of {period} us",
            vm.name
        )?;
        for vcpu in &vm.vcpus {
            writeln!(out, "    vcpu {} on cpu {}", vcpu.id, vcpu.cpu)?;
        }
        for map in &vm.maps {
            write_map(out, system, map)?;
        }
    }
    Ok(())
}

fn write_map(out: &mut String, system: &System, map: &Map) -> std::fmt::Result {
    let letters = [
        (map.perms.read, 'r'),
        (map.perms.write, 'w'),
        (map.perms.execute, 'x'),
    ];
    let perms: String = letters
        .map(|(is, letter)| if is { letter } else { '-' })
        .iter()
        .collect();
    let cached = if map.cached { "" } else { " uncached" };
    let region = &system.memory_regions[map.region].name;
    writeln!(out, "    map {region} at {:#x} {perms}{cached}", map.vaddr)
}
