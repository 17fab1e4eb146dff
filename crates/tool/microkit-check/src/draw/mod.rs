//! Draws a system as a picture (SVG).
//!
//! Protection domains are in one column, each inside its parent. The highest priority is first, so
//! calls lead upwards. Every end of a channel has its own row in the box of its PD. From this row,
//! the line of the channel goes to a lane on the right, and back to the row of the other end. Lines
//! in one lane do not overlap. A line crosses only the borders of boxes that contain one of its
//! ends. Lines cross at right angles only.
//!
//! In the same way, the lines of mappings are on the left side, next to the memory regions. Regions
//! with the same owners are drawn as one box. The picture depends only on the system, on the
//! declarations of its programs and on the selected elements.

mod choice;
mod content;
mod lanes;
mod layout;
mod legend;
mod paint;
mod regions;

use std::collections::BTreeSet;

use microkit_sdf::System;

use crate::cycle::cycles;
use crate::declaration::Declaration;
use crate::wait::waits;

pub use choice::Choice;

/// The mark in every picture. Without this mark in a file, the tool does not overwrite the file.
const DRAWING_MARK: &str = "drawn by `cargo microkit graph`";

/// Draws the chosen elements of the system as SVG. Waits that are part of a cycle are red.
/// `declarations` has an entry for each protection domain, as for [`check`](crate::check).
pub fn svg(system: &System, declarations: &[Option<Declaration>], choice: &Choice) -> String {
    let waits = waits(system, declarations);
    let cycles = cycles(&waits);
    let in_cycle: BTreeSet<usize> = cycles.iter().flatten().copied().collect();
    let paths: Vec<String> = cycles
        .iter()
        .map(|cycle| {
            let around = cycle.iter().chain(cycle.first());
            let names = around.map(|index| waits[*index].pd);
            let names = names.map(|pd| system.protection_domains[pd].name.as_str());
            names.collect::<Vec<_>>().join(" → ")
        })
        .collect();
    let shown = choice::Shown::of(system, choice);
    let content = content::Content {
        system,
        waits: &waits,
        in_cycle: &in_cycle,
        groups: regions::groups(system, &shown),
        shown,
    };
    paint::paint(&layout::Layout::of(&content), &paths)
}
