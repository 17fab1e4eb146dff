//! What the picture says of each protection domain, virtual machine and memory region.

use std::collections::BTreeSet;

use microkit_sdf::{Map, MemoryRegion, Perms, PhysAddr, ProtectionDomain, System, VirtualMachine};

use crate::wait::{Target, Wait, WaitKind};

/// A box, and the boxes in it.
pub(super) struct Node {
    pub(super) class: &'static str,
    pub(super) title: String,
    pub(super) rows: Vec<Row>,
    pub(super) children: Vec<Node>,
}

/// A line of text in a box.
pub(super) struct Row {
    pub(super) text: String,
    pub(super) class: &'static str,
    pub(super) port: Port,
}

/// What is connected to a row, and so on which side its text stands.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(super) enum Port {
    /// Nothing.
    None,
    /// A memory region, by its index, at the left.
    Region(usize),
    /// A channel, by its index and that of the end, at the right.
    Channel(usize, usize),
}

/// A channel's line.
pub(super) struct Wire {
    pub(super) class: &'static str,
    /// What comes in at each end.
    pub(super) heads: [Option<Head>; 2],
}

/// What comes in at an end of a channel.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(super) enum Head {
    Call,
    Notification,
}

/// A system with its waits.
pub(super) struct Content<'a> {
    pub(super) system: &'a System,
    pub(super) waits: &'a [Wait],
    /// The waits that are part of a cycle.
    pub(super) in_cycle: &'a BTreeSet<usize>,
}

impl Content<'_> {
    /// The boxes of the children of a PD, or of all that have no parent, the highest priority first.
    pub(super) fn nodes(&self, parent: Option<usize>) -> Vec<Node> {
        let all = self.system.protection_domains.iter().enumerate();
        let mut pds: Vec<_> = all.filter(|(_, pd)| pd.parent == parent).collect();
        pds.sort_by_key(|(index, pd)| (u8::MAX - pd.priority, *index));
        pds.iter()
            .map(|(index, pd)| self.node(*index, pd))
            .collect()
    }

    fn node(&self, index: usize, pd: &ProtectionDomain) -> Node {
        let mut rows = vec![fact(facts(pd))];
        rows.extend(pd.irqs.iter().map(|irq| Row {
            text: format!("interrupt {}, id {}", irq.number, irq.id),
            class: "irq",
            port: Port::None,
        }));
        rows.extend(pd.maps.iter().map(|map| self.mapping(map)));
        for (channel, found) in self.system.channels.iter().enumerate() {
            let owned = (0..2).filter(|end| found.ends[*end].pd == index);
            rows.extend(owned.map(|end| self.end(channel, end)));
        }
        rows.extend(self.other_waits(index));
        let mut children = self.nodes(Some(index));
        children.extend(
            pd.virtual_machine
                .as_ref()
                .map(|vm| self.virtual_machine(vm)),
        );
        Node {
            class: if pd.passive { "passive" } else { "pd" },
            title: pd.name.clone(),
            rows,
            children,
        }
    }

    fn virtual_machine(&self, vm: &VirtualMachine) -> Node {
        let mut rows = vec![fact(format!(
            "virtual machine, priority {}, virtual CPUs: {}",
            vm.priority,
            vm.vcpus.len()
        ))];
        rows.extend(vm.maps.iter().map(|map| self.mapping(map)));
        Node {
            class: "vm",
            title: vm.name.clone(),
            rows,
            children: Vec::new(),
        }
    }

    fn mapping(&self, map: &Map) -> Row {
        let name = &self.system.memory_regions[map.region].name;
        let Perms {
            read,
            write,
            execute,
        } = map.perms;
        let perms = [(read, 'r'), (write, 'w'), (execute, 'x')];
        let perms: String = perms.iter().filter(|p| p.0).map(|p| p.1).collect();
        let cached = if map.cached { "" } else { ", not cached" };
        Row {
            text: format!("{perms} {name} at {:#x}{cached}", map.vaddr),
            class: "map",
            port: Port::Region(map.region),
        }
    }

    fn end(&self, channel: usize, end: usize) -> Row {
        let ends = &self.system.channels[channel].ends;
        let (own, other) = (&ends[end], &ends[1 - end]);
        let waits = self.waits.iter();
        let is_waited = waits
            .filter(|wait| wait.pd == own.pd)
            .any(|wait| wait.kind == WaitKind::Wait(own.id));
        let does = [
            (own.pp, "calls"),
            (is_waited, "waits for"),
            (own.notify, "notifies"),
        ];
        let does: Vec<_> = does.iter().filter(|d| d.0).map(|d| d.1).collect();
        let does = match does.is_empty() {
            true => "hears".to_owned(),
            false => does.join(", "),
        };
        let name = &self.system.protection_domains[other.pd].name;
        let is_in_cycle = self.is_in_cycle(own.pd, own.id);
        Row {
            text: format!("{does} {name}, id {}", own.id),
            class: if is_in_cycle { "cycle" } else { "end" },
            port: Port::Channel(channel, end),
        }
    }

    /// Locks, and the fault that closes a cycle.
    fn other_waits(&self, pd: usize) -> Vec<Row> {
        let mut rows: Vec<Row> = Vec::new();
        for (index, wait) in self.waits.iter().enumerate() {
            let is_in_cycle = self.in_cycle.contains(&index);
            let text = match (&wait.kind, &wait.target) {
                (WaitKind::Lock, Target::Lock(lock)) => format!("takes the lock {lock}"),
                (WaitKind::Fault, _) if is_in_cycle => "a fault waits for its parent".to_owned(),
                _ => continue,
            };
            if wait.pd != pd {
                continue;
            }
            let class = if is_in_cycle { "cycle" } else { "fact" };
            match rows.iter_mut().find(|row| row.text == text) {
                Some(row) if is_in_cycle => row.class = class,
                Some(_) => {}
                None => rows.push(Row {
                    text,
                    class,
                    port: Port::None,
                }),
            }
        }
        rows
    }

    /// The line of a channel.
    pub(super) fn wire(&self, channel: usize) -> Wire {
        let ends = &self.system.channels[channel].ends;
        let is_in_cycle = ends.iter().any(|end| self.is_in_cycle(end.pd, end.id));
        let heads = [&ends[1], &ends[0]].map(|sender| match (sender.pp, sender.notify) {
            (true, _) => Some(Head::Call),
            (false, true) => Some(Head::Notification),
            (false, false) => None,
        });
        let class = match (is_in_cycle, ends.iter().any(|end| end.pp)) {
            (true, _) => "cycle",
            (false, true) => "call",
            (false, false) => "notify",
        };
        Wire { class, heads }
    }

    /// Whether a wait of the PD at its channel `id` is part of a cycle.
    fn is_in_cycle(&self, pd: usize, id: u8) -> bool {
        let waits = self.in_cycle.iter().map(|index| &self.waits[*index]);
        let mut here = waits.filter(|wait| wait.pd == pd);
        here.any(|wait| matches!(wait.kind, WaitKind::Call(at) | WaitKind::Wait(at) if at == id))
    }
}

/// What is said of a memory region under its name.
pub(super) fn region_facts(region: &MemoryRegion) -> String {
    match region.phys_addr {
        PhysAddr::Fixed(address) => format!("{:#x} bytes at {address:#x}", region.bytes),
        PhysAddr::Any | PhysAddr::Chosen => format!("{:#x} bytes", region.bytes),
    }
}

fn fact(text: String) -> Row {
    Row {
        text,
        class: "fact",
        port: Port::None,
    }
}

fn facts(pd: &ProtectionDomain) -> String {
    let mut facts = vec![format!("priority {}", pd.priority)];
    if pd.passive {
        facts.push("passive".to_owned());
    }
    if pd.budget_us != pd.period_us {
        facts.push(format!("{} of {} us", pd.budget_us, pd.period_us));
    }
    if pd.cpu != 0 {
        facts.push(format!("core {}", pd.cpu));
    }
    if let Some(domain) = pd.domain {
        facts.push(format!("domain {domain}"));
    }
    if pd.smc {
        facts.push("SMC calls".to_owned());
    }
    facts.join(", ")
}
