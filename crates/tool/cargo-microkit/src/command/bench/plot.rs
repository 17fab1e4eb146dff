//! Draws the table as an SVG: each round trip in Rust, beside the columns for C and the limit.

use std::fmt::Write;

use super::figures::{Figures, OfKernel, Row};

const WIDTH: u64 = 860;
const LEFT: u64 = 290;
const BAR: u64 = 12;
const STEP: u64 = 46;
const HEAD: u64 = 64;

const RUST: &str = "#b7410e";
const C: &str = "#4a6fa5";

/// Draws all kernels, one below the other. Omits rows without a second column.
pub(super) fn svg(figures: &Figures) -> String {
    let mut body = String::new();
    let mut top = 0;
    for of_kernel in &figures.kernels {
        top += draw(&mut body, of_kernel, top);
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{top}\" \
         viewBox=\"0 0 {WIDTH} {top}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <!-- drawn by `cargo microkit bench` -->\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n{body}</svg>\n"
    )
}

/// Draws one kernel, starting at `top`, and returns the height of the drawing.
fn draw(body: &mut String, of_kernel: &OfKernel, top: u64) -> u64 {
    let rows: Vec<&Row> = of_kernel
        .rows
        .iter()
        .filter(|row| row.name.contains(',') && row.rust.is_some())
        .collect();
    let most = rows
        .iter()
        .flat_map(|row| [row.rust, row.c])
        .flatten()
        .max();
    let most = most.unwrap_or(1).max(1);
    let length = |n: u64| n * (WIDTH - LEFT - 90) / most;
    let mut add = |line: std::fmt::Arguments<'_>| {
        body.write_fmt(line).expect("a string takes all");
        body.push('\n');
    };
    add(format_args!(
        "<text x=\"16\" y=\"{}\" font-size=\"16\" font-weight=\"bold\">{} {}: instructions of a \
         round trip</text>",
        top + 26,
        of_kernel.kernel,
        of_kernel.config
    ));
    add(format_args!(
        "<text x=\"16\" y=\"{}\"><tspan fill=\"{RUST}\">&#9632; Rust</tspan> <tspan \
         fill=\"{C}\">&#9632; C, libmicrokit</tspan> &#9474; bare system calls</text>",
        top + 46
    ));
    for (y, row) in (top + HEAD..).step_by(STEP as usize).zip(&rows) {
        add(format_args!(
            "<text x=\"16\" y=\"{}\">{}</text>",
            y + 17,
            row.name
        ));
        let bars = [(row.rust, RUST, y), (row.c, C, y + BAR + 2)];
        for (value, colour, y) in bars {
            let Some(value) = value else { continue };
            let width = length(value);
            add(format_args!(
                "<rect x=\"{LEFT}\" y=\"{y}\" width=\"{width}\" height=\"{BAR}\" \
                 fill=\"{colour}\"/><text x=\"{}\" y=\"{}\" font-size=\"11\">{value}</text>",
                LEFT + width + 6,
                y + 10
            ));
        }
        if let Some(limit) = row.limit {
            let x = LEFT + length(limit);
            add(format_args!(
                "<line x1=\"{x}\" x2=\"{x}\" y1=\"{}\" y2=\"{}\" stroke=\"black\" \
                 stroke-width=\"2\"/>",
                y - 3,
                y + 2 * BAR + 5
            ));
        }
    }
    HEAD + rows.len() as u64 * STEP + 10
}

#[cfg(test)]
mod tests {
    use super::super::figures::Column;
    use super::*;

    #[test]
    fn every_row_is_drawn_with_its_numbers() {
        let mut of_kernel = OfKernel {
            kernel: "model".to_owned(),
            ..OfKernel::default()
        };
        let row = |n| vec![("call, 4 words".to_owned(), n)];
        of_kernel.add(Column::Rust, row(765));
        of_kernel.add(Column::C, row(807));
        of_kernel.add(Column::Limit, row(739));
        let figures = Figures {
            kernels: vec![of_kernel],
        };
        let drawing = svg(&figures);
        let drawing = roxmltree::Document::parse(&drawing).expect("it is XML");
        let texts: Vec<_> = drawing
            .descendants()
            .filter_map(|node| node.text())
            .collect();
        for expect in ["call, 4 words", "765", "807"] {
            assert!(texts.contains(&expect), "{expect}: {texts:?}");
        }
        let lines = drawing.descendants().filter(|n| n.has_tag_name("line"));
        assert_eq!(lines.count(), 1);
    }
}
