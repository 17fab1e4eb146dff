//! Compares a system with the capDL specification that the SDK's tool made from the same file.

use std::collections::BTreeMap;

use microkit_abi::{badge, slots};
use microkit_sdf::{
    CapabilityKind, Duration, Map, PhysAddr, ProtectionDomain, ScheduleEntry, System, Trigger,
};
use serde_json::Value;

/// A capability: the name of its object, and its badge (0 without a badge).
type Cap = (String, u64);

/// Compares the specification with the system. Panics at the first difference.
pub(crate) fn check(spec: &Value, system: &System) {
    let spec = Spec::of(spec);
    for (index, pd) in system.protection_domains.iter().enumerate() {
        check_thread(&spec, index, pd);
        assert_eq!(
            spec.slots(&format!("cnode_{}", pd.name)),
            cnode(system, index),
            "{}",
            pd.name
        );
        let root = spec.slots(&format!("cnode_{}_root", pd.name));
        assert_eq!(root, root_cnode(system, pd), "{}", pd.name);
        check_maps(&spec, system, &pd.name, &pd.maps);
        for irq in &pd.irqs {
            let object = format!("irq_{}_{}", irq.number, pd.name);
            let trigger = &spec.object(&object)["ArmIrq"]["extra"]["trigger"];
            assert_eq!(
                *trigger,
                u64::from(irq.trigger == Trigger::Edge),
                "{object}"
            );
        }
        let Some(vm) = &pd.virtual_machine else {
            continue;
        };
        check_maps(&spec, system, &vm.name, &vm.maps);
        for vcpu in &vm.vcpus {
            let name = format!("{}_{}", vm.name, vcpu.id);
            let tcb = &spec.object(&format!("tcb_{name}"))["Tcb"]["extra"];
            assert_eq!(tcb["prio"], vm.priority, "{name}");
            assert_eq!(tcb["affinity"], vcpu.cpu, "{name}");
            let sc = &spec.object(&format!("sched_context_{name}"))["SchedContext"]["extra"];
            assert_eq!(
                [&sc["budget"], &sc["period"]],
                [vm.budget_us, vm.period_us],
                "{name}"
            );
        }
    }
    check_regions(&spec, system);
    check_domains(spec.json, system);
}

/// The specification, with access to its objects by name.
struct Spec<'a> {
    json: &'a Value,
    names: Vec<&'a str>,
    by_name: BTreeMap<&'a str, &'a Value>,
}

impl<'a> Spec<'a> {
    fn of(json: &'a Value) -> Self {
        let objects = json["objects"].as_array().unwrap();
        let names: Vec<_> = objects
            .iter()
            .map(|o| o["name"].as_str().unwrap())
            .collect();
        let by_name = names
            .iter()
            .copied()
            .zip(objects.iter().map(|o| &o["object"]))
            .collect();
        Self {
            json,
            names,
            by_name,
        }
    }

    fn object(&self, name: &str) -> &'a Value {
        self.by_name
            .get(name)
            .unwrap_or_else(|| panic!("no object {name}"))
    }

    fn name(&self, cap: &Value) -> &'a str {
        self.names[cap["object"].as_u64().unwrap() as usize]
    }

    /// Returns the capability in each slot of the CNode `name`.
    fn slots(&self, name: &str) -> BTreeMap<u64, Cap> {
        let slots = self.object(name)["CNode"]["slots"].as_array().unwrap();
        let mut result = BTreeMap::new();
        for slot in slots {
            let (_, cap) = slot["cap"].as_object().unwrap().iter().next().unwrap();
            let cap = (
                self.name(cap).to_owned(),
                cap["badge"].as_u64().unwrap_or_default(),
            );
            assert!(
                result.insert(slot["slot"].as_u64().unwrap(), cap).is_none(),
                "{name}"
            );
        }
        result
    }

    /// Returns the frame at `vaddr` in the address space `name`, and the capability to it.
    fn frame(&self, name: &str, vaddr: u64) -> (&'a str, &'a Value) {
        let mut table = format!("pud_{name}");
        for shift in [30, 21, 12] {
            let index = (vaddr >> shift) & if shift == 30 { 0x3ff } else { 0x1ff };
            let slots = self.object(&table)["PageTable"]["slots"]
                .as_array()
                .unwrap();
            let slot = slots.iter().find(|slot| slot["slot"] == index);
            let slot = slot.unwrap_or_else(|| panic!("{vaddr:#x} is not mapped in {name}"));
            let frame = &slot["cap"]["Frame"];
            if !frame.is_null() {
                return (self.name(frame), frame);
            }
            self.name(&slot["cap"]["PageTable"]).clone_into(&mut table);
        }
        panic!("no frame at {vaddr:#x} in {name}")
    }
}

fn check_thread(spec: &Spec<'_>, index: usize, pd: &ProtectionDomain) {
    let name = &pd.name;
    let sc = &spec.object(&format!("sched_context_{name}"))["SchedContext"]["extra"];
    assert_eq!(
        [&sc["budget"], &sc["period"]],
        [pd.budget_us, pd.period_us],
        "{name}"
    );
    assert_eq!(sc["badge"], 0x100 + index, "{name}");
    let tcb = &spec.object(&format!("tcb_{name}"))["Tcb"]["extra"];
    assert_eq!([&tcb["prio"], &tcb["max_prio"]], [pd.priority; 2], "{name}");
    assert_eq!(tcb["affinity"], pd.cpu, "{name}");
    assert_eq!(tcb["fpu_disabled"], !pd.fpu, "{name}");
    assert_eq!(tcb["domain"].as_u64(), pd.domain.map(u64::from), "{name}");
    let stack_frames = format!("frame_{name}_stack_");
    let frames = spec
        .names
        .iter()
        .filter(|frame| frame.starts_with(&stack_frames))
        .count();
    assert_eq!(frames as u64, pd.stack_bytes / 0x1000, "{name}");
}

/// Returns the expected contents of a protection domain's Microkit CNode.
fn cnode(system: &System, index: usize) -> BTreeMap<u64, Cap> {
    let pd = &system.protection_domains[index];
    let name_of = |pd: usize| &system.protection_domains[pd].name;
    let mut caps = BTreeMap::new();
    let mut put = |slot: u64, object: String, badge: u64| {
        assert!(
            caps.insert(slot, (object, badge)).is_none(),
            "slot {slot} of {}",
            pd.name
        );
    };
    let input = if pd.needs_endpoint { "ep" } else { "ntfn" };
    put(slots::INPUT, format!("{input}_{}", pd.name), 0);
    let monitor = "ep_fault_monitor".to_owned();
    let number = index as u64 + 1;
    match (pd.parent, pd.child_id) {
        (Some(parent), Some(id)) => {
            put(
                slots::FAULT_ENDPOINT,
                format!("ep_{}", name_of(parent)),
                badge::fault(id),
            );
        }
        _ => put(slots::FAULT_ENDPOINT, monitor.clone(), number),
    }
    put(slots::VSPACE, format!("pud_{}", pd.name), 0);
    put(slots::REPLY, format!("reply_{}", pd.name), 0);
    if pd.passive {
        put(slots::MONITOR_ENDPOINT, monitor, number);
    }
    if pd.smc {
        put(slots::ARM_SMC, "arm_smc".to_owned(), 0);
    }
    for child in &pd.children {
        put(
            slots::BASE_TCB + u64::from(child.id),
            format!("tcb_{}", name_of(child.pd)),
            0,
        );
    }
    if let Some(vm) = &pd.virtual_machine {
        for id in vm.vcpus.iter().map(|vcpu| vcpu.id) {
            put(
                slots::BASE_VM_TCB + u64::from(id),
                format!("tcb_{}_{id}", vm.name),
                0,
            );
            put(
                slots::BASE_VCPU + u64::from(id),
                format!("vcpu_{}_{id}", vm.name),
                0,
            );
        }
    }
    let mut masks = [0; 3];
    for irq in &pd.irqs {
        put(
            slots::BASE_IRQ + u64::from(irq.id),
            format!("irq_{}_{}", irq.number, pd.name),
            0,
        );
        masks[0] |= 1 << irq.id;
    }
    for channel in &system.channels {
        let [a, b] = &channel.ends;
        for (end, other) in [(a, b), (b, a)]
            .into_iter()
            .filter(|(end, _)| end.pd == index)
        {
            let (id, name) = (u64::from(end.id), name_of(other.pd));
            if end.notify {
                let slot = slots::BASE_OUTPUT_NOTIFICATION + id;
                put(slot, format!("ntfn_{name}"), badge::notification(other.id));
                masks[1] |= 1 << id;
            }
            if end.pp {
                put(
                    slots::BASE_ENDPOINT + id,
                    format!("ep_{name}"),
                    badge::call(other.id),
                );
                masks[2] |= 1 << id;
            }
        }
    }
    assert_eq!(
        [pd.irqs_mask, pd.notifications_mask, pd.pps_mask],
        masks,
        "{}",
        pd.name
    );
    caps
}

/// Returns the expected contents of a protection domain's root CNode.
fn root_cnode(system: &System, pd: &ProtectionDomain) -> BTreeMap<u64, Cap> {
    let own = pd.capabilities.iter().map(|capability| {
        let kind = match capability.kind {
            CapabilityKind::Tcb => "tcb",
            CapabilityKind::SchedulingContext => "sched_context",
            CapabilityKind::VSpace => "pud",
        };
        let name = &system.protection_domains[capability.pd].name;
        (
            u64::from(capability.slot_index),
            (format!("{kind}_{name}"), 0),
        )
    });
    std::iter::once((0, (format!("cnode_{}", pd.name), 0)))
        .chain(own)
        .collect()
}

fn check_maps(spec: &Spec<'_>, system: &System, space: &str, maps: &[Map]) {
    for map in maps {
        let region = &system.memory_regions[map.region];
        for page in 0..region.page_count {
            let vaddr = map.vaddr + page * region.page_size.bytes();
            let (frame, cap) = spec.frame(space, vaddr);
            assert_eq!(
                frame,
                format!("frame_mr_{}_{page:09}", region.name),
                "{space} {vaddr:#x}"
            );
            let perms = [
                &cap["rights"]["read"],
                &cap["rights"]["write"],
                &cap["executable"],
            ];
            assert_eq!(
                perms,
                [map.perms.read, map.perms.write, map.perms.execute],
                "{frame}"
            );
            assert_eq!(cap["cached"], map.cached, "{frame}");
        }
    }
}

fn check_regions(spec: &Spec<'_>, system: &System) {
    for region in &system.memory_regions {
        let prefix = format!("frame_mr_{}_", region.name);
        let is_of_region = |name: &str| {
            name.strip_prefix(&prefix)
                .is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
        };
        let frames = spec.names.iter().filter(|name| is_of_region(name)).count();
        assert_eq!(frames as u64, region.page_count, "{prefix}");
        let page_bytes = region.page_size.bytes();
        assert_eq!(region.page_count * page_bytes, region.bytes, "{prefix}");
        let mut next = None;
        for page in 0..region.page_count {
            let frame = &spec.object(&format!("{prefix}{page:09}"))["Frame"];
            assert_eq!(frame["size_bits"], page_bytes.ilog2(), "{prefix}");
            let paddr = frame["paddr"].as_u64();
            match region.phys_addr {
                PhysAddr::Any => assert_eq!(paddr, None, "{prefix}"),
                PhysAddr::Fixed(start) => assert_eq!(paddr, Some(start + page * page_bytes)),
                // The region must be in one piece.
                PhysAddr::Chosen => assert!(paddr.is_some() && (page == 0 || paddr == next)),
            }
            next = paddr.map(|paddr| paddr + page_bytes);
        }
    }
}

fn check_domains(spec: &Value, system: &System) {
    let Some(domains) = &system.domains else {
        assert!(
            spec["domain_schedule"].is_null(),
            "{}",
            spec["domain_schedule"]
        );
        return;
    };
    assert_eq!(spec["domain_set_start"], domains.start_index);
    assert_eq!(spec["domain_idx_shift"].as_u64(), domains.index_shift);
    let schedule = spec["domain_schedule"].as_array().unwrap();
    assert_eq!(schedule.len(), domains.schedule.len());
    for (theirs, ours) in schedule.iter().zip(&domains.schedule) {
        match ours {
            ScheduleEntry::Run {
                domain, duration, ..
            } => {
                assert_eq!(theirs["domain"], *domain);
                let (unit, number) = match duration {
                    Duration::Microseconds(number) => ("Us", number),
                    Duration::Ticks(number) => ("Ticks", number),
                };
                assert_eq!(theirs["duration"][unit], number.get(), "{theirs}");
            }
            ScheduleEntry::End { .. } => assert_eq!(theirs["duration"], "EndMarker"),
        }
    }
}
