//! Computes the position of every box and line, in pixels.

use super::content::{Content, Head, Node, Port, Row};
use super::{lanes, regions};

/// The height of a line of text.
pub(super) const LINE: u32 = 16;
/// The width of a character; the font is monospaced.
pub(super) const CHAR: u32 = 8;
/// The margin around the picture.
pub(super) const MARGIN: u32 = 12;
/// The gap between boxes, between a box and its content, and between a box and the lanes.
pub(super) const GAP: u32 = 10;
/// The distance between the lines at a memory region, and between lanes if there are few lanes.
const LANE: u32 = 10;

/// A picture.
pub(super) struct Layout {
    /// Memory regions, PDs and virtual machines. An outer box comes before its inner boxes.
    pub(super) boxes: Vec<Placed>,
    pub(super) lines: Vec<Line>,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// A box with its position.
pub(super) struct Placed {
    pub(super) left: u32,
    pub(super) top: u32,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) class: &'static str,
    pub(super) title: String,
    /// The text beside the title.
    pub(super) facts: String,
    /// The tooltip of the box. The tooltip is empty if the box shows all of the text.
    pub(super) tip: String,
    /// Whether the box is inside another box.
    pub(super) is_inside: bool,
    /// The rows, each with the y coordinate of its middle.
    pub(super) rows: Vec<(Row, u32)>,
}

/// A line between two points, through a lane.
pub(super) struct Line {
    pub(super) from: (u32, u32),
    pub(super) lane: u32,
    pub(super) to: (u32, u32),
    pub(super) class: &'static str,
    pub(super) heads: [Option<Head>; 2],
    /// The index of the colour that distinguishes this line from its neighbours.
    pub(super) tint: usize,
    /// The tooltip of the line.
    pub(super) tip: String,
}

/// The number of colours that distinguish lines.
pub(super) const TINTS: usize = 5;

/// The line of a mapping: the region group, the box of the owner, and the height at that box.
struct Mapping {
    region: usize,
    owner: usize,
    y: u32,
    tip: String,
}

impl Layout {
    pub(super) fn of(content: &Content<'_>) -> Self {
        let nodes = content.nodes(None);
        let column = nodes.iter().map(width).max().unwrap_or(0);
        let mut boxes = Vec::new();
        let mut bottom = MARGIN;
        for node in nodes {
            bottom = place(node, (0, column), bottom, false, &mut boxes) + GAP;
        }

        let mappings = mappings(&boxes);
        let (mut regions, region_ends) = regions(content, &mappings);
        let region_width = regions.iter().map(|region| region.width).max().unwrap_or(0);
        let spans = mappings.iter().zip(&region_ends);
        let spans: Vec<_> = spans.map(|(mapping, end)| (mapping.y, *end)).collect();
        let (lanes_of_mappings, count) = lanes::assign(&spans);
        let first_lane = MARGIN + region_width + GAP;
        let left = match regions.is_empty() {
            true => MARGIN,
            false => first_lane + count as u32 * lane_width(count) + GAP,
        };
        for placed in &mut boxes {
            placed.left += left;
        }
        for region in &mut regions {
            region.width = region_width;
            bottom = bottom.max(region.top + region.height + GAP);
        }

        let mut lines = Vec::new();
        for ((mapping, end), lane) in mappings.iter().zip(&region_ends).zip(lanes_of_mappings) {
            lines.push(Line {
                from: (MARGIN + region_width, *end),
                // The last lane is nearest to the boxes.
                lane: middle_of(first_lane, count - 1 - lane, count),
                to: (boxes[mapping.owner].left, mapping.y),
                class: "mapping",
                heads: [None; 2],
                tint: lane % TINTS,
                tip: mapping.tip.clone(),
            });
        }
        let right = left + column + GAP;
        let channels = 0..content.system.channels.len();
        let channels: Vec<usize> = channels.filter(|c| content.shown.channels[*c]).collect();
        let wires: Vec<_> = channels
            .iter()
            .map(|channel| [0, 1].map(|end| place_of(&boxes, Port::Channel(*channel, end))))
            .collect();
        let spans: Vec<_> = wires.iter().map(|[from, to]| (from.1, to.1)).collect();
        let (lanes_of_wires, count) = lanes::assign(&spans);
        let wires = channels.iter().zip(&wires);
        for ((channel, [from, to]), lane) in wires.zip(lanes_of_wires) {
            let wire = content.wire(*channel);
            lines.push(Line {
                from: *from,
                lane: middle_of(right, lane, count),
                to: *to,
                class: wire.class,
                heads: wire.heads,
                // Lines in adjacent lanes get different colours.
                tint: lane % TINTS,
                tip: wire.tip,
            });
        }
        // Red lines are drawn last, on top of all other lines.
        lines.sort_by_key(|line| line.class == "cycle");
        regions.extend(boxes);
        Self {
            boxes: regions,
            lines,
            width: right + count as u32 * lane_width(count) + MARGIN,
            height: bottom - GAP + MARGIN,
        }
    }
}

/// Returns the width of a lane. A large number of lanes makes each lane narrow, to keep the ends of
/// a line close together.
fn lane_width(count: usize) -> u32 {
    if count > 40 { LANE - 4 } else { LANE }
}

/// Returns the x coordinate of the middle of a lane.
fn middle_of(first_lane: u32, index: usize, count: usize) -> u32 {
    let width = lane_width(count);
    first_lane + index as u32 * width + width / 2
}

/// Returns the width that a box needs.
fn width(node: &Node) -> u32 {
    let widest = |side: fn(&Port) -> bool| {
        let rows = node.rows.iter().filter(|row| side(&row.port));
        rows.map(|row| row.text.chars().count()).max().unwrap_or(0)
    };
    let left = widest(|port| matches!(port, Port::Region(_)));
    let right = widest(|port| matches!(port, Port::Channel(..)));
    // Two characters separate the left from the right text, and the title from its facts.
    let title = node.title.chars().count() + 2 + node.facts.chars().count();
    let plain = widest(|port| *port == Port::None);
    let chars = title.max(plain).max(left + 2 + right);
    let children = node.children.iter().map(|child| width(child) + 2 * GAP);
    let own = chars as u32 * CHAR + 2 * GAP;
    children.chain([own]).max().unwrap_or(own)
}

/// Places a box and its content below `top`, and returns the bottom of the box. The left edge is
/// relative to the column until the final offset is added. The rows of mappings are on the left
/// side, and the rows of channels are beside them on the right.
fn place(
    node: Node,
    (left, width): (u32, u32),
    top: u32,
    is_inside: bool,
    boxes: &mut Vec<Placed>,
) -> u32 {
    let index = boxes.len();
    let plain = node
        .rows
        .iter()
        .filter(|row| row.port == Port::None)
        .count() as u32;
    let first = top + GAP / 2 + LINE;
    let (mut next_plain, sides) = (first, first + plain * LINE);
    let (mut next_left, mut next_right) = (sides, sides);
    let mut rows = Vec::new();
    for row in node.rows {
        let next = match row.port {
            Port::None => &mut next_plain,
            Port::Region(_) => &mut next_left,
            Port::Channel(..) => &mut next_right,
        };
        rows.push((row, *next + LINE / 2));
        *next += LINE;
    }
    boxes.push(Placed {
        left,
        top,
        width,
        height: 0,
        class: node.class,
        title: node.title,
        facts: node.facts,
        tip: node.tip,
        is_inside,
        rows,
    });
    let mut bottom = next_left.max(next_right);
    for child in node.children {
        let inside = (left + GAP, width - 2 * GAP);
        bottom = place(child, inside, bottom + GAP, true, boxes);
    }
    bottom += GAP / 2;
    boxes[index].height = bottom - top;
    bottom
}

fn mappings(boxes: &[Placed]) -> Vec<Mapping> {
    let rows = boxes.iter().enumerate();
    let rows = rows.flat_map(|(owner, b)| b.rows.iter().map(move |(row, y)| (owner, row, *y)));
    rows.filter_map(|(owner, row, y)| match row.port {
        Port::Region(region) => Some(Mapping {
            region,
            owner,
            y,
            tip: row.tip.clone(),
        }),
        Port::None | Port::Channel(..) => None,
    })
    .collect()
}

/// Returns the boxes of the memory regions and the height at which each mapping ends. Each box is
/// as near as possible to the rows of its mappings.
fn regions(content: &Content<'_>, mappings: &[Mapping]) -> (Vec<Placed>, Vec<u32>) {
    let mut order: Vec<(u32, usize)> = (0..content.groups.len())
        .map(|region| {
            let ys = mappings.iter().filter(|m| m.region == region).map(|m| m.y);
            let (count, sum) = ys.fold((0, 0), |(count, sum), y| (count + 1, sum + y));
            (sum.checked_div(count).unwrap_or(u32::MAX), region)
        })
        .collect();
    order.sort_unstable();
    let mut ends = vec![0; mappings.len()];
    let mut placed = Vec::new();
    let mut free = MARGIN;
    for (middle, index) in order {
        let group = &content.groups[index];
        let title = regions::title(content.system, group);
        let facts = regions::facts(content.system, group);
        let users = mappings.iter().enumerate();
        let users: Vec<usize> = users
            .filter(|(_, m)| m.region == index)
            .map(|u| u.0)
            .collect();
        let height = (LINE + GAP).max(users.len() as u32 * LANE + GAP);
        let wanted = if middle == u32::MAX {
            free
        } else {
            middle.saturating_sub(height / 2)
        };
        let top = wanted.max(free);
        for (count, user) in users.iter().enumerate() {
            ends[*user] = top + GAP + count as u32 * LANE;
        }
        let chars = title.chars().count() + 2 + facts.chars().count();
        placed.push(Placed {
            left: MARGIN,
            top,
            width: chars as u32 * CHAR + 2 * GAP,
            height,
            class: "region",
            title,
            facts,
            tip: regions::tip(content.system, group),
            is_inside: false,
            rows: Vec::new(),
        });
        free = top + height + GAP;
    }
    (placed, ends)
}

/// Returns the point where the line of a channel's end starts.
fn place_of(boxes: &[Placed], port: Port) -> (u32, u32) {
    let found = boxes.iter().find_map(|placed| {
        let (_, y) = placed.rows.iter().find(|(row, _)| row.port == port)?;
        Some((placed.left + placed.width, *y))
    });
    // Every shown end has a row in the box of its PD.
    found.unwrap_or_default()
}
