//! The text and the boxes of each protection domain and virtual machine in the picture.

use std::collections::BTreeSet;

use microkit_sdf::{End, ProtectionDomain, System, VirtualMachine};

use super::choice::Shown;
use super::regions::{Group, Owner, mappings_of, shortened};
use crate::wait::{Target, Wait, WaitKind};

/// A box with its child boxes.
pub(super) struct Node {
    pub(super) class: &'static str,
    pub(super) title: String,
    /// The text beside the title.
    pub(super) facts: String,
    /// The tooltip with the full name, if the title is shortened.
    pub(super) tip: String,
    pub(super) rows: Vec<Row>,
    pub(super) children: Vec<Node>,
}

/// A line of text in a box.
pub(super) struct Row {
    pub(super) text: String,
    pub(super) class: &'static str,
    pub(super) port: Port,
    /// The tooltip of the line that starts here.
    pub(super) tip: String,
}

/// The element connected to a row. The element determines on which side the row has its text.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(super) enum Port {
    /// No element.
    None,
    /// A group of memory regions, by its index. The text is on the left.
    Region(usize),
    /// A channel and one of its ends, by their indices. The text is on the right.
    Channel(usize, usize),
}

/// The line of a channel.
pub(super) struct Wire {
    pub(super) class: &'static str,
    /// The arrow head at each end.
    pub(super) heads: [Option<Head>; 2],
    /// The tooltip of the line.
    pub(super) tip: String,
}

/// The arrow head at an end of a channel: the kind of event that arrives at this end.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(super) enum Head {
    Call,
    Notification,
}

/// A system with its waits, and the selection of its elements to draw.
pub(super) struct Content<'a> {
    pub(super) system: &'a System,
    pub(super) waits: &'a [Wait],
    /// The waits that are part of a cycle.
    pub(super) in_cycle: &'a BTreeSet<usize>,
    pub(super) shown: Shown,
    pub(super) groups: Vec<Group>,
}

impl Content<'_> {
    /// Returns the boxes of the children of a PD, highest priority first. If `parent` is `None`,
    /// returns the boxes of the PDs without a parent.
    pub(super) fn nodes(&self, parent: Option<usize>) -> Vec<Node> {
        let all = self.system.protection_domains.iter().enumerate();
        let all = all.filter(|(index, _)| self.shown.pds[*index]);
        let mut pds: Vec<_> = all.filter(|(_, pd)| pd.parent == parent).collect();
        pds.sort_by_key(|(index, pd)| (u8::MAX - pd.priority, *index));
        pds.iter()
            .map(|(index, pd)| self.node(*index, pd))
            .collect()
    }

    fn node(&self, index: usize, pd: &ProtectionDomain) -> Node {
        let irqs = pd.irqs.iter();
        let irqs = irqs.map(|irq| plain(format!("interrupt {}, id {}", irq.number, irq.id), "irq"));
        let mut rows: Vec<Row> = irqs.collect();
        rows.extend(self.mappings(Owner {
            pd: index,
            is_virtual_machine: false,
        }));
        for (channel, found) in self.system.channels.iter().enumerate() {
            let owned = (0..2).filter(|end| found.ends[*end].pd == index);
            let owned = owned.filter(|_| self.shown.channels[channel]);
            rows.extend(owned.map(|end| self.end(channel, end)));
        }
        rows.extend(self.other_waits(index));
        let mut children = self.nodes(Some(index));
        let vm = pd.virtual_machine.as_ref();
        let vm = vm.filter(|_| self.shown.virtual_machines[index]);
        children.extend(vm.map(|vm| self.virtual_machine(index, vm)));
        Node {
            class: if pd.passive { "passive" } else { "pd" },
            title: shortened(&pd.name),
            facts: facts(pd),
            tip: whole_name(&pd.name),
            rows,
            children,
        }
    }

    fn virtual_machine(&self, pd: usize, vm: &VirtualMachine) -> Node {
        let owner = Owner {
            pd,
            is_virtual_machine: true,
        };
        Node {
            class: "vm",
            title: shortened(&vm.name),
            tip: whole_name(&vm.name),
            facts: format!(
                "virtual machine, priority {}, virtual CPUs: {}",
                vm.priority,
                vm.vcpus.len()
            ),
            rows: self.mappings(owner).collect(),
            children: Vec::new(),
        }
    }

    fn mappings(&self, owner: Owner) -> impl Iterator<Item = Row> {
        let mappings = mappings_of(self.system, &self.groups, owner);
        let pd = &self.system.protection_domains[owner.pd];
        let vm = pd.virtual_machine.as_ref();
        let vm = vm.filter(|_| owner.is_virtual_machine);
        let name = vm.map_or(&pd.name, |vm| &vm.name).clone();
        mappings.into_iter().map(move |mapping| Row {
            text: mapping.text,
            class: "map",
            port: Port::Region(mapping.group),
            tip: format!("{name} maps:{}", mapping.tip),
        })
    }

    fn end(&self, channel: usize, end: usize) -> Row {
        let ends = &self.system.channels[channel].ends;
        let (own, other) = (&ends[end], &ends[1 - end]);
        let name = &self.system.protection_domains[other.pd].name;
        let is_in_cycle = self.is_in_cycle(own.pd, own.id);
        Row {
            text: format!("{} {}, id {}", self.does(own), shortened(name), own.id),
            class: if is_in_cycle { "cycle" } else { "end" },
            port: Port::Channel(channel, end),
            tip: String::new(),
        }
    }

    /// Describes the actions of a PD at its end of a channel.
    fn does(&self, own: &End) -> String {
        let waits = self.waits.iter().filter(|wait| wait.pd == own.pd);
        let mut waits_here = waits.map(|wait| wait.kind);
        let is_waited = waits_here.any(|kind| kind == WaitKind::Wait(own.id));
        let does = [
            (self.calls(own), "calls"),
            (own.pp && !self.calls(own), "may call"),
            (is_waited, "waits for"),
            (own.notify, "notifies"),
        ];
        let does: Vec<_> = does.iter().filter(|d| d.0).map(|d| d.1).collect();
        match does.is_empty() {
            true => "hears".to_owned(),
            false => does.join(", "),
        }
    }

    /// Whether a PD calls over its end: the system file allows the call, and the program's
    /// declaration, if present, contains the call.
    fn calls(&self, own: &End) -> bool {
        let mut waits = self.waits.iter().filter(|wait| wait.pd == own.pd);
        own.pp && waits.any(|wait| wait.kind == WaitKind::Call(own.id))
    }

    /// Returns rows for locks, and for a fault wait that is part of a cycle.
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
                None => rows.push(plain(text, class)),
            }
        }
        rows
    }

    /// Returns the line of a channel.
    pub(super) fn wire(&self, channel: usize) -> Wire {
        let ends = &self.system.channels[channel].ends;
        let is_in_cycle = ends.iter().any(|end| self.is_in_cycle(end.pd, end.id));
        let head = |sender: &End| match (self.calls(sender), sender.notify) {
            (true, _) => Some(Head::Call),
            (false, true) => Some(Head::Notification),
            (false, false) => None,
        };
        let heads = [head(&ends[1]), head(&ends[0])];
        let class = match (is_in_cycle, heads.contains(&Some(Head::Call))) {
            (true, _) => "cycle",
            (false, true) => "call",
            (false, false) => "notify",
        };
        let name = |end: &End| self.system.protection_domains[end.pd].name.as_str();
        let says = |own: &End, other: &End| {
            format!(
                "{} (id {}) {} {}",
                name(own),
                own.id,
                self.does(own),
                name(other)
            )
        };
        let tip = [says(&ends[0], &ends[1]), says(&ends[1], &ends[0])].join("\n");
        Wire { class, heads, tip }
    }

    /// Whether a wait of the PD at its channel `id` is part of a cycle.
    fn is_in_cycle(&self, pd: usize, id: u8) -> bool {
        let waits = self.in_cycle.iter().map(|index| &self.waits[*index]);
        let mut here = waits.filter(|wait| wait.pd == pd);
        here.any(|wait| matches!(wait.kind, WaitKind::Call(at) | WaitKind::Wait(at) if at == id))
    }
}

/// Returns the whole name if the box shows only a part of the name.
fn whole_name(name: &str) -> String {
    match shortened(name) == name {
        true => String::new(),
        false => name.to_owned(),
    }
}

/// Makes a row without a connected line.
fn plain(text: String, class: &'static str) -> Row {
    Row {
        text,
        class,
        port: Port::None,
        tip: String::new(),
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
