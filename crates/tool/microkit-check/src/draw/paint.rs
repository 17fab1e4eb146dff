//! Writes the picture as SVG text.

use std::fmt::{self, Write};

use super::DRAWING_MARK;
use super::content::{Head, Port, Row};
use super::layout::{CHAR, GAP, LINE, Layout, Line, MARGIN, Placed};
use super::legend::{self, Entry, Mark};

const STYLE: &str = "\
text{font:12px monospace;fill:#222}\
.title{font-weight:bold}\
text.fact{fill:#666}\
text.irq{fill:#95459b}\
text.map{fill:#7a5c1e}\
rect{stroke:#444;fill:#fff}\
rect.passive{fill:#eef4fb;stroke-dasharray:6 3}\
rect.vm{fill:#f4eefb}\
rect.region{fill:#fbf5e6;stroke:#7a5c1e}\
rect.paper{fill:#fff;stroke:none}\
path{fill:none;stroke-width:1.5}\
path.hit{stroke:transparent;stroke-width:9}\
path.t0{stroke:#1f5fbf}path.head-call.t0{fill:#1f5fbf}\
path.t1{stroke:#2e7d32}path.head-call.t1{fill:#2e7d32}\
path.t2{stroke:#7b3fa0}path.head-call.t2{fill:#7b3fa0}\
path.t3{stroke:#00798c}path.head-call.t3{fill:#00798c}\
path.t4{stroke:#555}path.head-call.t4{fill:#555}\
path.m0{stroke:#c2a25c}\
path.m1{stroke:#8d6b1e}\
path.m2{stroke:#c98a2b}\
path.m3{stroke:#7f7a55}\
path.m4{stroke:#a87f6a}\
path.notify{stroke-dasharray:4 3}\
path.cycle{stroke:#c00;stroke-width:3}\
path.head-call.cycle{fill:#c00}\
text.cycle{fill:#c00;font-weight:bold}\
path.head-notification{fill:#fff}\
g.line:hover path{stroke-width:4}";

/// Writes the picture. Below the picture are the legend and each of `cycles`.
pub(super) fn paint(layout: &Layout, cycles: &[String]) -> String {
    let mut svg = String::new();
    // Writing to a string never fails.
    let _ = write(&mut svg, layout, cycles);
    svg
}

/// The width of a mark in the legend.
const MARK: u32 = 28;

fn write(svg: &mut String, layout: &Layout, cycles: &[String]) -> fmt::Result {
    let told: Vec<String> = cycles
        .iter()
        .map(|path| format!("wait for each other: {path}"))
        .collect();
    let entries: Vec<&Entry> = legend::entries(layout).collect();
    let has_tints = layout.lines.iter().any(|line| line.tint > 0);
    let tints = has_tints.then_some("colours of lines: only to tell them apart");
    let meanings = entries.iter().map(|entry| entry.meaning).chain(tints);
    let texts = meanings.chain(told.iter().map(String::as_str));
    let widest = texts.map(|text| text.chars().count() as u32).max();
    let text_width = widest.unwrap_or(0) * CHAR + MARK + GAP + 2 * MARGIN;
    let width = layout.width.max(text_width);
    let below = entries.len() + usize::from(has_tints) + told.len();
    let height = layout.height + below as u32 * LINE + MARGIN;
    writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\">"
    )?;
    writeln!(svg, "<!-- {DRAWING_MARK} -->")?;
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
    let text_left = MARGIN + MARK + GAP;
    writeln!(svg, "<g class=\"legend\">")?;
    for entry in entries {
        write_mark(svg, entry.mark, y)?;
        write_text(svg, (text_left, y), "fact", "start", entry.meaning, "")?;
        y += LINE;
    }
    if let Some(text) = tints {
        write_text(svg, (text_left, y), "fact", "start", text, "")?;
        y += LINE;
    }
    writeln!(svg, "</g>")?;
    for text in &told {
        write_text(svg, (MARGIN, y), "cycle", "start", text, "")?;
        y += LINE;
    }
    writeln!(svg, "</svg>")
}

/// Writes a mark of the legend in the same style as in the picture.
fn write_mark(svg: &mut String, mark: Mark, y: u32) -> fmt::Result {
    let (left, top, height) = (MARGIN, y - LINE / 2 + 3, LINE - 6);
    match mark {
        Mark::Line(class) => {
            let (right, (class, _)) = (left + MARK, coloured(class, 0));
            writeln!(svg, "<path class=\"{class}\" d=\"M{left} {y}H{right}\"/>")
        }
        Mark::Head(head) => write_head(svg, Some(head), (left, y), "t0"),
        Mark::Box(class) => writeln!(
            svg,
            "<rect class=\"{class}\" x=\"{left}\" y=\"{top}\" width=\"{MARK}\" height=\"{height}\" \
             rx=\"4\"/>"
        ),
        Mark::Inside => {
            for inset in [0, 3] {
                let (x, y) = (left + inset, top + inset);
                let (width, height) = (MARK - 2 * inset, height - 2 * inset);
                writeln!(
                    svg,
                    "<rect class=\"inside\" x=\"{x}\" y=\"{y}\" width=\"{width}\" \
                     height=\"{height}\" rx=\"2\"/>"
                )?;
            }
            Ok(())
        }
        Mark::Text(class) => write_text(svg, (left, y), class, "start", "abc", ""),
    }
}

fn write_box(svg: &mut String, placed: &Placed) -> fmt::Result {
    let &Placed {
        left,
        top,
        width,
        height,
        class,
        ..
    } = placed;
    writeln!(svg, "<g>")?;
    write_tip(svg, &placed.tip)?;
    writeln!(
        svg,
        "<rect class=\"{class}\" x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" \
         rx=\"4\"/>"
    )?;
    let y = top + GAP / 2 + LINE / 2;
    let right = left + width - GAP;
    write_text(svg, (left + GAP, y), "title", "start", &placed.title, "")?;
    if !placed.facts.is_empty() {
        write_text(svg, (right, y), "fact", "end", &placed.facts, "")?;
    }
    for (row, y) in &placed.rows {
        let Row {
            text, class, tip, ..
        } = row;
        let (x, anchor) = match row.port {
            Port::None | Port::Region(_) => (left + GAP, "start"),
            Port::Channel(..) => (right, "end"),
        };
        write_text(svg, (x, *y), class, anchor, text, tip)?;
    }
    writeln!(svg, "</g>")
}

fn write_line(svg: &mut String, line: &Line) -> fmt::Result {
    let Line {
        from: (from_x, from_y),
        lane,
        to: (to_x, to_y),
        class,
        tint,
        ..
    } = line;
    let path = format!("M{from_x} {from_y}H{lane}V{to_y}H{to_x}");
    let (class, colour) = coloured(class, *tint);
    writeln!(svg, "<g class=\"line\">")?;
    write_tip(svg, &line.tip)?;
    // A thin line is hard to point at, so a wider transparent line is added.
    writeln!(svg, "<path class=\"hit\" d=\"{path}\"/>")?;
    writeln!(svg, "<path class=\"{class}\" d=\"{path}\"/>")?;
    for (head, at) in line.heads.iter().zip([line.from, line.to]) {
        write_head(svg, *head, at, &colour)?;
    }
    writeln!(svg, "</g>")
}

/// Returns the class of a line and the class of its colour. Red is only for cycles.
fn coloured(class: &str, tint: usize) -> (String, String) {
    match class {
        "call" | "notify" => (format!("{class} t{tint}"), format!("t{tint}")),
        "mapping" => (format!("mapping m{tint}"), String::new()),
        other => (other.to_owned(), other.to_owned()),
    }
}

fn write_head(
    svg: &mut String,
    head: Option<Head>,
    (x, y): (u32, u32),
    colour: &str,
) -> fmt::Result {
    let class = match head {
        Some(Head::Call) => "head-call",
        Some(Head::Notification) => "head-notification",
        None => return Ok(()),
    };
    writeln!(
        svg,
        "<path class=\"{class} {colour}\" d=\"M{x} {y}l7 -4v8z\"/>"
    )
}

fn write_tip(svg: &mut String, tip: &str) -> fmt::Result {
    if tip.is_empty() {
        return Ok(());
    }
    svg.push_str("<title>");
    escape(svg, tip);
    writeln!(svg, "</title>")
}

/// Writes text with its middle at this height.
fn write_text(
    svg: &mut String,
    (x, y): (u32, u32),
    class: &str,
    anchor: &str,
    text: &str,
    tip: &str,
) -> fmt::Result {
    let baseline = y + 4;
    write!(svg, "<text class=\"{class}\" x=\"{x}\" y=\"{baseline}\"")?;
    if anchor != "start" {
        write!(svg, " text-anchor=\"{anchor}\"")?;
    }
    svg.push('>');
    write_tip(svg, tip)?;
    escape(svg, text);
    writeln!(svg, "</text>")
}

/// Appends text with the special characters of XML escaped.
fn escape(svg: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '<' => svg.push_str("&lt;"),
            '>' => svg.push_str("&gt;"),
            '&' => svg.push_str("&amp;"),
            // A line break separates the lines of a tooltip.
            '\n' => svg.push('\n'),
            // XML forbids most other control characters. Names do not contain control characters.
            control if control.is_control() => svg.push(' '),
            other => svg.push(other),
        }
    }
}
