//! Renders a plan as text: the place of every part. The same plan always gives the same text.

use std::fmt;

use boot_spec::{ChannelEnd, Perms, Trigger, UserCapKind};

use crate::frames::Extent;
use crate::patch::PatchValue;
use crate::plan::{MemoryRegion, Plan, ProtectionDomain};
use crate::wording::{Addresses, Bytes};

impl Plan {
    /// Renders the plan as text in aligned columns.
    ///
    /// Virtual addresses are in ascending order. Each piece of physical memory has its own line.
    pub fn report(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.name)?;
        writeln!(f, "Memory")?;
        let (used, available) = (Bytes(self.used_bytes()), Bytes(self.available_bytes()));
        let kernel = Addresses(&self.platform.kernel);
        table(
            f,
            vec![
                vec![
                    "main memory".into(),
                    Addresses(&self.platform.ram).to_string(),
                ],
                vec!["the kernel's".into(), kernel.to_string()],
                vec!["for systems".into(), available.to_string()],
                vec!["used".into(), used.to_string()],
            ],
        )?;
        section(
            f,
            "Memory regions",
            self.memory_regions.iter().flat_map(|r| self.region(r)),
        )?;
        for (number, pd) in self.protection_domains.iter().enumerate() {
            self.write_pd(f, number, pd)?;
        }
        Ok(())
    }
}

type Row = Vec<String>;

impl Plan {
    /// Returns the rows of a memory region: one row for each piece.
    fn region(&self, region: &MemoryRegion) -> Vec<Row> {
        let ram = &self.platform.ram;
        let piece = |number: usize, extent: &Extent| {
            let is_first = number == 0;
            let first = |text: String| if is_first { text } else { String::new() };
            let mut what = vec![if region.is_fixed { "fixed" } else { "chosen" }.to_owned()];
            if !ram.contains(&extent.paddr) {
                what.push("device".to_owned());
            }
            if let Some(fill) = &region.fill {
                what.push(format!(
                    "{:#x} bytes of {}",
                    fill.bytes,
                    fill.path.display()
                ));
            }
            vec![
                first(region.name.clone()),
                Addresses(&extent.range()).to_string(),
                format!("{:#x} bytes", extent.bytes),
                format!("in pages of {:#x}", region.page_size.bytes()),
                first(what.join(", ")),
            ]
        };
        if region.extents.is_empty() {
            return vec![vec![region.name.clone(), "empty".to_owned()]];
        }
        region
            .extents
            .iter()
            .enumerate()
            .map(|(number, extent)| piece(number, extent))
            .collect()
    }

    fn write_pd(
        &self,
        f: &mut fmt::Formatter<'_>,
        number: usize,
        pd: &ProtectionDomain,
    ) -> fmt::Result {
        writeln!(f, "\nProtection domain {number}: {}", pd.name)?;
        let row = |name: &str, value: String| vec![name.to_owned(), value];
        let mut rows = vec![
            row("program", pd.program.display().to_string()),
            row("entry", format!("{:#x}", pd.entry)),
            row("priority", pd.priority.to_string()),
            row(
                "budget",
                format!("{} us in {} us", pd.budget_us, pd.period_us),
            ),
        ];
        let traits = [(pd.passive, "passive"), (!pd.fpu, "no floating point")];
        let traits: Vec<&str> = traits
            .iter()
            .filter(|(is, _)| *is)
            .map(|(_, it)| *it)
            .collect();
        if !traits.is_empty() {
            rows.push(row("is", traits.join(", ")));
        }
        let input = if pd.needs_endpoint {
            "its endpoint"
        } else {
            "its notification"
        };
        rows.push(row("receives on", input.to_owned()));
        if let Some(parent) = pd.parent {
            let name = self.pd_name(parent.pd_index);
            rows.push(row(
                "parent",
                format!("{name}, as child {}", parent.child_id),
            ));
        }
        table(f, rows)?;

        section(f, "  Address space", self.address_space(pd))?;
        section(
            f,
            "  Symbols written",
            pd.patches.iter().map(|patch| {
                vec![
                    patch.symbol.clone(),
                    format!("{:#x}", patch.vaddr),
                    value(&patch.value),
                ]
            }),
        )?;
        section(f, "  Channels", self.channels_of(number))?;
        section(
            f,
            "  Interrupts",
            pd.irqs.iter().map(|irq| {
                let trigger = match irq.trigger {
                    Trigger::Level => "level",
                    Trigger::Edge => "edge",
                };
                vec![
                    irq.id.to_string(),
                    format!("interrupt {}", irq.number),
                    trigger.to_owned(),
                ]
            }),
        )?;
        section(
            f,
            "  Capabilities",
            pd.caps.iter().map(|cap| {
                let kind = match cap.kind {
                    UserCapKind::Tcb => "thread",
                    UserCapKind::SchedContext => "scheduling context",
                    UserCapKind::VSpace => "address space",
                };
                vec![
                    format!("slot {}", cap.slot),
                    format!("{kind} of {}", self.pd_name(cap.pd_index)),
                ]
            }),
        )
    }

    /// Returns all mappings of a protection domain, one row for each piece.
    fn address_space(&self, pd: &ProtectionDomain) -> Vec<Row> {
        let mut rows: Vec<(u64, Row)> = Vec::new();
        let mut add = |what: &str, mut vaddr: u64, perms: Perms, extents: &[Extent]| {
            for extent in extents {
                let range = vaddr..vaddr + extent.bytes;
                let row = vec![
                    Addresses(&range).to_string(),
                    format!("at {:#x}", extent.paddr),
                    format!("{:#x} bytes", extent.bytes),
                    letters(perms),
                    what.to_owned() + remark(perms),
                ];
                rows.push((vaddr, row));
                vaddr = range.end;
            }
        };
        for segment in &pd.segments {
            add("segment", segment.vaddr, segment.perms, &segment.extents);
        }
        add("stack", pd.stack.vaddr, pd.stack.perms, &pd.stack.extents);
        add(
            "IPC buffer",
            pd.ipc_buffer.vaddr,
            pd.ipc_buffer.perms,
            &pd.ipc_buffer.extents,
        );
        for map in &pd.maps {
            let region = &self.memory_regions[map.region];
            let cached = if map.cached { "" } else { ", uncached" };
            let what = format!("region {}{cached}", region.name);
            add(&what, map.vaddr, map.perms, &region.extents);
        }
        rows.sort_by_key(|(vaddr, _)| *vaddr);
        rows.into_iter().map(|(_, row)| row).collect()
    }

    /// Returns the channels of a protection domain, in the order of their identifiers.
    fn channels_of(&self, number: usize) -> Vec<Row> {
        let mut rows: Vec<(u8, Row)> = Vec::new();
        for channel in &self.channels {
            let [one, other] = &channel.ends;
            for (end, far) in [(one, other), (other, one)] {
                if usize::from(end.pd_index) == number {
                    let name = self.pd_name(far.pd_index);
                    let row = vec![end.id.to_string(), format!("to {name}"), may(end, far)];
                    rows.push((end.id, row));
                }
            }
        }
        rows.sort_by_key(|(id, _)| *id);
        rows.into_iter().map(|(_, row)| row).collect()
    }

    fn pd_name(&self, number: u8) -> &str {
        self.protection_domains
            .get(usize::from(number))
            .map_or("?", |pd| &pd.name)
    }
}

/// Describes the rights of one end of a channel, and the rights of the peer.
fn may(end: &ChannelEnd, far: &ChannelEnd) -> String {
    let rights = [
        (end.pp, "calls"),
        (far.pp, "is called"),
        (end.notify, "notifies"),
        (far.notify, "is notified"),
    ];
    let rights: Vec<&str> = rights
        .iter()
        .filter(|(may, _)| *may)
        .map(|(_, it)| *it)
        .collect();
    if rights.is_empty() {
        "does nothing".to_owned()
    } else {
        rights.join(", ")
    }
}

fn value(value: &PatchValue) -> String {
    match value {
        PatchValue::Text(bytes) => format!("{:?}", String::from_utf8_lossy(bytes)),
        PatchValue::Flag(flag) => u8::from(*flag).to_string(),
        PatchValue::Word(word) => format!("{word:#x}"),
    }
}

fn letters(perms: Perms) -> String {
    let letter = |is: bool, letter| if is { letter } else { '-' };
    [
        letter(perms.read, 'r'),
        letter(perms.write, 'w'),
        letter(perms.execute, 'x'),
    ]
    .iter()
    .collect()
}

/// Returns a remark for unusual permissions.
fn remark(perms: Perms) -> &'static str {
    match perms {
        Perms { read: false, .. } => " (NO ACCESS: not readable, so seL4 maps nothing of use)",
        Perms {
            write: true,
            execute: true,
            ..
        } => " (WRITABLE AND EXECUTABLE)",
        _ => "",
    }
}

/// Writes a heading and a table. Writes nothing if the table is empty.
fn section(
    f: &mut fmt::Formatter<'_>,
    heading: &str,
    rows: impl IntoIterator<Item = Row>,
) -> fmt::Result {
    let rows: Vec<Row> = rows.into_iter().collect();
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{heading}")?;
    table(f, rows)
}

/// Writes rows in aligned columns. No line ends in a space.
fn table(f: &mut fmt::Formatter<'_>, rows: Vec<Row>) -> fmt::Result {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in &rows {
        let cells = row.iter().zip(&widths);
        let line: String = cells
            .map(|(cell, width)| format!("  {cell:<width$}"))
            .collect();
        writeln!(f, "  {}", line.trim_end())?;
    }
    Ok(())
}
