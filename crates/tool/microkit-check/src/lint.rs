//! Warnings for a system that is valid and has no cycles, but may behave unexpectedly.
//!
//! This module omits some checks, because the result would often be wrong, or because the necessary
//! facts are unknown:
//!
//! - memory that two PDs write: this is normal for a queue between PDs;
//! - processor shares that add up to more than the whole: by default, each PD may use all processor
//!   time;
//! - a passive PD that is notified: it runs on the scheduling context of its notification object;
//! - stacks that are too small: stable Rust does not report the sizes of stack frames.

use std::collections::BTreeSet;

use microkit_sdf::{KernelConfig, Map, ScheduleEntry, System};

use crate::declaration::{Declaration, Step};
use crate::finding::{Finding, FindingKind, Label, Report};
use crate::wait::ends;

/// The budget that must be left when a system call starts, in microseconds. The parser rejects a
/// smaller budget in the file.
const MIN_BUDGET_US: u64 = KernelConfig::QEMU_VIRT_AARCH64.min_budget_us();

/// Returns all warnings about the file and about the declarations of its programs.
pub(crate) fn findings(system: &System, declarations: &[Option<Declaration>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    children(system, &mut findings);
    wakers(system, &mut findings);
    channels(system, &mut findings);
    memory(system, &mut findings);
    findings.extend(small_budgets(system));
    time(system, &mut findings);
    calls(system, declarations, &mut findings);
    findings
}

/// Returns warnings for budgets that are too small for a PD to run. Nothing else reports this
/// problem.
pub fn budgets(system: &System) -> Report {
    Report::new(system.source.clone(), small_budgets(system)).grouped()
}

fn small_budgets(system: &System) -> Vec<Finding> {
    let pds = system.protection_domains.iter();
    let too_small = pds.filter(|pd| pd.budget_us == MIN_BUDGET_US);
    let findings = too_small.map(|pd| {
        let kind = FindingKind::BudgetTooSmall {
            pd: pd.name.clone(),
            budget_us: pd.budget_us,
            min_us: MIN_BUDGET_US,
        };
        Finding::new(kind, vec![Label::new(pd.span, "here")])
    });
    findings.collect()
}

fn children(system: &System, findings: &mut Vec<Finding>) {
    for child in &system.protection_domains {
        let Some(parent) = child.parent.map(|index| &system.protection_domains[index]) else {
            continue;
        };
        let shares_time = (child.cpu, child.domain) == (parent.cpu, parent.domain);
        let can_take_all = child.budget_us == child.period_us && !child.passive;
        if child.priority > parent.priority && shares_time && can_take_all {
            let kind = FindingKind::ChildAboveParent {
                child: child.name.clone(),
                child_priority: child.priority,
                parent: parent.name.clone(),
                parent_priority: parent.priority,
            };
            let labels = vec![
                Label::new(child.span, "the child"),
                Label::new(parent.span, "its parent"),
            ];
            findings.push(Finding::new(kind, labels));
        }
    }
}

fn wakers(system: &System, findings: &mut Vec<Finding>) {
    for (index, pd) in system.protection_domains.iter().enumerate() {
        let is_reached = ends(system, index).any(|(_, other)| other.pp || other.notify);
        let is_woken = is_reached
            || !pd.irqs.is_empty()
            || !pd.children.is_empty()
            || pd.virtual_machine.is_some();
        if pd.passive && !is_woken {
            let kind = FindingKind::NeverWoken {
                pd: pd.name.clone(),
            };
            findings.push(Finding::new(kind, vec![Label::new(pd.span, "here")]));
        }
    }
}

fn channels(system: &System, findings: &mut Vec<Finding>) {
    for channel in &system.channels {
        if channel.ends.iter().all(|end| !end.pp && !end.notify) {
            let labels = vec![Label::new(channel.span, "neither end may do anything")];
            findings.push(Finding::new(FindingKind::DeadChannel, labels));
        }
    }
}

/// Returns each mapping of a region with the name of its owner. PDs come before virtual machines.
fn mappings(system: &System, region: usize) -> Vec<(&str, &Map)> {
    let pds = system.protection_domains.iter();
    let of_pds = pds.flat_map(|pd| pd.maps.iter().map(|map| (pd.name.as_str(), map)));
    let pds = system.protection_domains.iter();
    let vms = pds.filter_map(|pd| pd.virtual_machine.as_ref());
    let of_vms = vms.flat_map(|vm| vm.maps.iter().map(|map| (vm.name.as_str(), map)));
    let all = of_pds.chain(of_vms);
    all.filter(|(_, map)| map.region == region).collect()
}

fn memory(system: &System, findings: &mut Vec<Finding>) {
    for (index, region) in system.memory_regions.iter().enumerate() {
        let mappings = mappings(system, index);
        let mut writers = mappings
            .iter()
            .filter(|(_, map)| map.perms.write && !map.cached);
        if let Some((one, first)) = writers.next()
            && let Some((other, second)) = writers.find(|(name, _)| name != one)
        {
            let kind = FindingKind::TwoDrivers {
                region: region.name.clone(),
                one: (*one).to_owned(),
                other: (*other).to_owned(),
            };
            let labels = vec![
                Label::new(first.span, "one"),
                Label::new(second.span, "the other"),
            ];
            findings.push(Finding::new(kind, labels));
        }
        let cached = mappings.iter().find(|(_, map)| map.cached);
        let uncached = mappings.iter().find(|(_, map)| !map.cached);
        if let (Some((one, first)), Some((other, second))) = (cached, uncached) {
            let kind = FindingKind::MixedCaching {
                region: region.name.clone(),
                cached: (*one).to_owned(),
                uncached: (*other).to_owned(),
            };
            let labels = vec![
                Label::new(first.span, "cached"),
                Label::new(second.span, "not cached"),
            ];
            findings.push(Finding::new(kind, labels));
        }
    }
}

fn time(system: &System, findings: &mut Vec<Finding>) {
    let scheduled: Option<BTreeSet<u8>> = system.domains.as_ref().map(|domains| {
        let entries = domains.schedule.iter();
        entries
            .filter_map(|entry| match entry {
                ScheduleEntry::Run { domain, .. } => Some(*domain),
                ScheduleEntry::End { .. } => None,
            })
            .collect()
    });
    for pd in &system.protection_domains {
        let here = || vec![Label::new(pd.span, "here")];
        if let (Some(scheduled), Some(domain)) = (&scheduled, pd.domain)
            && !scheduled.is_empty()
            && !scheduled.contains(&domain)
        {
            let kind = FindingKind::DomainNeverRuns {
                pd: pd.name.clone(),
            };
            findings.push(Finding::new(kind, here()));
        }
    }
}

fn calls(system: &System, declarations: &[Option<Declaration>], findings: &mut Vec<Finding>) {
    for (index, pd) in system.protection_domains.iter().enumerate() {
        let Some(Some(declaration)) = declarations.get(index) else {
            continue;
        };
        let steps = declaration.statements.iter().map(|s| &s.step);
        let called: BTreeSet<u8> = steps
            .filter_map(|step| match step {
                Step::Call(id) => Some(*id),
                Step::Wait(_) | Step::Lock(_) => None,
            })
            .collect();
        for (own, _) in ends(system, index) {
            if own.pp && !called.contains(&own.id) {
                let kind = FindingKind::CallNotDeclared {
                    pd: pd.name.clone(),
                    id: own.id,
                };
                let labels = vec![Label::new(own.span, "here")];
                findings.push(Finding::new(kind, labels));
            }
        }
    }
}
