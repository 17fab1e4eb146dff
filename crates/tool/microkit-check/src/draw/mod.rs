//! A system as a picture (SVG).
//!
//! Protection domains stand in one column, each inside its parent, the highest priority first, so
//! that calls lead upwards. Every end of a channel has a line of its own in the box of its PD, from
//! which it goes to the right, into a lane that no other channel uses there, and back to the other
//! end: no line crosses a box but to leave the parents of its own, and lines cross at right angles
//! only. Mappings do the same to the left, where the memory regions are; regions that the
//! same ones map are one box. What is drawn depends on the system, on what its programs declare and
//! on what one chooses, and on nothing else.

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

/// Marks every picture, so that the tool never replaces one that a person drew.
const DRAWING_MARK: &str = "drawn by `cargo microkit graph`";

/// What is chosen of the system as SVG; waits that are part of a cycle are red. `declarations` are
/// those of its programs, as for [`check`](crate::check).
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
