//! The picture as text in SVG.

use std::fmt::{self, Write};

use super::content::{Head, Port};
use super::layout::{CHAR, GAP, LINE, Layout, Line, MARGIN, Placed};

const STYLE: &str = "\
text{font:12px monospace;fill:#222}\
.title{font-weight:bold}\
.fact,.irq{fill:#666}\
.irq{fill:#95459b}\
text.map{fill:#7a5c1e}\
rect{stroke:#444;fill:#fff}\
rect.passive{fill:#eef4fb;stroke-dasharray:6 3}\
rect.vm{fill:#f4eefb}\
rect.region{fill:#fbf5e6;stroke:#7a5c1e}\
rect.paper{fill:#fff;stroke:none}\
path{fill:none;stroke-width:1.5}\
path.mapping{stroke:#c2a25c}\
path.call{stroke:#1f5fbf}\
path.notify{stroke:#666;stroke-dasharray:4 3}\
path.cycle{stroke:#c00;stroke-width:3}\
text.cycle{fill:#c00;font-weight:bold}\
path.head-call{fill:#1f5fbf;stroke:#1f5fbf}\
path.head-notification{fill:#fff;stroke:#666}";

/// Writes the picture, and below it each of `cycles`.
pub(super) fn paint(layout: &Layout, cycles: &[String]) -> String {
    let mut svg = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut svg, layout, cycles);
    svg
}

fn write(svg: &mut String, layout: &Layout, cycles: &[String]) -> fmt::Result {
    let key = KEY.chars().count() as u32;
    let told: Vec<String> = cycles
        .iter()
        .map(|path| format!("wait for each other: {path}"))
        .collect();
    let widest = told.iter().map(|text| text.chars().count() as u32).max();
    let text_width = key.max(widest.unwrap_or(0)) * CHAR + 2 * MARGIN;
    let width = layout.width.max(text_width);
    let height = layout.height + (told.len() as u32 + 1) * LINE + MARGIN;
    writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\">"
    )?;
    writeln!(svg, "<style>{STYLE}</style>")?;
    writeln!(
        svg,
        "<rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>"
    )?;
    for placed in &layout.boxes {
        write_box(svg, placed)?;
    }
    for line in &layout.lines {
        write_line(svg, line)?;
    }
    let mut y = layout.height + LINE / 2;
    write_text(svg, (MARGIN, y), "fact", "start", KEY)?;
    for text in &told {
        y += LINE;
        write_text(svg, (MARGIN, y), "cycle", "start", text)?;
    }
    writeln!(svg, "</svg>")
}

/// What the lines mean.
const KEY: &str = "full: calls; dashed: notifications; the arrow shows where they arrive";

fn write_box(svg: &mut String, placed: &Placed) -> fmt::Result {
    let &Placed {
        left,
        top,
        width,
        height,
        class,
        ..
    } = placed;
    writeln!(
        svg,
        "<rect class=\"{class}\" x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" \
         rx=\"4\"/>"
    )?;
    let title = (left + GAP, top + GAP / 2 + LINE / 2);
    write_text(svg, title, "title", "start", &placed.title)?;
    for (row, y) in &placed.rows {
        let (x, anchor) = match row.port {
            Port::None | Port::Region(_) => (left + GAP, "start"),
            Port::Channel(..) => (left + width - GAP, "end"),
        };
        write_text(svg, (x, *y), row.class, anchor, &row.text)?;
    }
    Ok(())
}

fn write_line(svg: &mut String, line: &Line) -> fmt::Result {
    let Line {
        from: (from_x, from_y),
        lane,
        to: (to_x, to_y),
        class,
        heads,
    } = line;
    writeln!(
        svg,
        "<path class=\"{class}\" d=\"M{from_x} {from_y}H{lane}V{to_y}H{to_x}\"/>"
    )?;
    for (head, (x, y)) in heads.iter().zip([line.from, line.to]) {
        let class = match head {
            Some(Head::Call) => "head-call",
            Some(Head::Notification) => "head-notification",
            None => continue,
        };
        writeln!(svg, "<path class=\"{class}\" d=\"M{x} {y}l7 -4v8z\"/>")?;
    }
    Ok(())
}

/// Text whose middle is at this height.
fn write_text(
    svg: &mut String,
    (x, y): (u32, u32),
    class: &str,
    anchor: &str,
    text: &str,
) -> fmt::Result {
    let baseline = y + 4;
    write!(svg, "<text class=\"{class}\" x=\"{x}\" y=\"{baseline}\"")?;
    if anchor != "start" {
        write!(svg, " text-anchor=\"{anchor}\"")?;
    }
    svg.push('>');
    for character in text.chars() {
        match character {
            '<' => svg.push_str("&lt;"),
            '>' => svg.push_str("&gt;"),
            '&' => svg.push_str("&amp;"),
            // XML has no other control characters; a name can have none of these.
            control if control.is_control() => svg.push(' '),
            other => svg.push(other),
        }
    }
    writeln!(svg, "</text>")
}
