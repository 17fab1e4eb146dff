//! The legend: the meaning of each mark that occurs in the picture.

use super::content::Head;
use super::layout::Layout;

/// A mark with its meaning.
pub(super) struct Entry {
    pub(super) mark: Mark,
    pub(super) meaning: &'static str,
}

/// A mark, identified by its CSS class in the picture.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(super) enum Mark {
    Line(&'static str),
    Head(Head),
    Box(&'static str),
    /// A box inside another box.
    Inside,
    Text(&'static str),
}

/// All marks that a picture can have.
const ENTRIES: [Entry; 14] = [
    entry(
        Mark::Line("call"),
        "protected procedure calls, and perhaps notifications",
    ),
    entry(Mark::Line("notify"), "notifications"),
    entry(Mark::Head(Head::Call), "calls arrive here"),
    entry(
        Mark::Head(Head::Notification),
        "notifications arrive here, and no calls",
    ),
    entry(Mark::Line("cycle"), "these can wait for each other forever"),
    entry(
        Mark::Line("mapping"),
        "the memory is mapped: r can be read, w written, x executed",
    ),
    entry(Mark::Box("pd"), "protection domain"),
    entry(
        Mark::Box("passive"),
        "passive protection domain: it runs on the time of its callers",
    ),
    entry(
        Mark::Inside,
        "inside the protection domain that handles its faults",
    ),
    entry(Mark::Box("vm"), "virtual machine"),
    entry(
        Mark::Box("region"),
        "memory region, or several that the same ones map",
    ),
    entry(Mark::Text("irq"), "an interrupt that it handles"),
    entry(Mark::Text("map"), "a mapping"),
    entry(Mark::Text("end"), "an end of a channel"),
];

const fn entry(mark: Mark, meaning: &'static str) -> Entry {
    Entry { mark, meaning }
}

/// Returns the entries for the marks in the picture.
pub(super) fn entries(layout: &Layout) -> impl Iterator<Item = &'static Entry> + '_ {
    ENTRIES.iter().filter(|entry| match entry.mark {
        Mark::Line(class) => layout.lines.iter().any(|line| line.class == class),
        Mark::Head(head) => {
            let mut lines = layout.lines.iter();
            lines.any(|line| line.heads.contains(&Some(head)))
        }
        Mark::Box(class) => layout.boxes.iter().any(|placed| placed.class == class),
        Mark::Inside => layout.boxes.iter().any(|placed| placed.is_inside),
        Mark::Text(class) => {
            let mut rows = layout.boxes.iter().flat_map(|placed| &placed.rows);
            rows.any(|(row, _)| row.class == class)
        }
    })
}
