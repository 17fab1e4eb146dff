//! The table of measurements: instruction counts for each kernel, and the sizes of programs.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::command::bench::measure::Measured;
use crate::variant::Variant;

/// All measurements of one run.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Figures {
    pub(super) kernels: Vec<OfKernel>,
}

/// The measurements on one kernel.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OfKernel {
    /// `sel4` or `model`.
    pub(super) kernel: String,
    pub(super) config: String,
    pub(super) rows: Vec<Row>,
    pub(super) programs: Vec<Program>,
}

/// The cost of a round trip, in instructions.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) name: String,
    /// The Rust program, on this project's runtime.
    pub(super) rust: Option<u64>,
    /// The C program, on libmicrokit.
    pub(super) c: Option<u64>,
    /// The lower limit: bare system calls.
    pub(super) limit: Option<u64>,
}

/// A program's size, in bytes.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Program {
    pub(super) name: String,
    pub(super) text: u64,
    pub(super) rodata: u64,
    pub(super) data: u64,
    pub(super) bss: u64,
}

/// A column of the table.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(super) enum Column {
    Rust,
    C,
    Limit,
}

impl Figures {
    /// Renders the content of a JSON file, with a newline at the end.
    pub(super) fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("plain data");
        text.push('\n');
        text
    }

    /// Reads the content of a JSON file.
    ///
    /// # Errors
    ///
    /// Fails if the text is not JSON, or if a field is missing.
    pub(super) fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

impl OfKernel {
    /// Returns an empty table for a kernel.
    pub(super) fn new(variant: &Variant) -> Self {
        Self {
            kernel: variant.kernel.to_string(),
            config: variant.config.clone(),
            ..Self::default()
        }
    }

    /// Fills a column. Adds new rows at the end.
    pub(super) fn add(&mut self, column: Column, rows: Vec<(String, u64)>) {
        for (name, instructions) in rows {
            let position = self.rows.iter().position(|row| row.name == name);
            let position = position.unwrap_or_else(|| {
                self.rows.push(Row {
                    name,
                    ..Row::default()
                });
                self.rows.len() - 1
            });
            let row = &mut self.rows[position];
            let place = match column {
                Column::Rust => &mut row.rust,
                Column::C => &mut row.c,
                Column::Limit => &mut row.limit,
            };
            *place = Some(instructions);
        }
    }

    /// Adds rows and programs that are not in the table yet. Does not change existing rows and
    /// programs.
    pub(super) fn add_new(&mut self, measured: Measured) {
        let Measured {
            mut rows,
            mut programs,
        } = measured;
        rows.retain(|(name, _)| self.rows.iter().all(|row| row.name != *name));
        programs.retain(|program| self.programs.iter().all(|other| other.name != program.name));
        self.add(Column::Rust, rows);
        self.programs.extend(programs);
    }
}

impl fmt::Display for OfKernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = format!("{} {}, instructions", self.kernel, self.config);
        writeln!(
            f,
            "{title:36} {:>9} {:>9} {:>9} {:>7}",
            "Rust", "C", "limit", "Rust/C"
        )?;
        for row in &self.rows {
            let show = |value: Option<u64>| value.map_or("-".to_owned(), |v| v.to_string());
            let ratio = match (row.rust, row.c) {
                (Some(rust), Some(c)) if c > 0 => format!("{:.3}", rust as f64 / c as f64),
                _ => "-".to_owned(),
            };
            let [rust, c, limit] = [row.rust, row.c, row.limit].map(show);
            writeln!(f, "{:36} {rust:>9} {c:>9} {limit:>9} {ratio:>7}", row.name)?;
        }
        writeln!(f)?;
        let title = "size of a program, bytes";
        writeln!(
            f,
            "{title:36} {:>9} {:>9} {:>9} {:>7}",
            "text", "rodata", "data", "bss"
        )?;
        for program in &self.programs {
            let Program {
                name,
                text,
                rodata,
                data,
                bss,
            } = program;
            writeln!(f, "{name:36} {text:>9} {rodata:>9} {data:>9} {bss:>7}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_joined_by_the_name_of_the_row() {
        let mut of_kernel = OfKernel::default();
        let rows = |numbers: &[(&str, u64)]| {
            numbers
                .iter()
                .map(|&(name, n)| (name.to_owned(), n))
                .collect()
        };
        of_kernel.add(Column::Rust, rows(&[("a", 1), ("b", 2)]));
        of_kernel.add(Column::C, rows(&[("b", 4), ("c", 5)]));
        let seen: Vec<_> = of_kernel
            .rows
            .iter()
            .map(|row| (row.name.as_str(), row.rust, row.c, row.limit))
            .collect();
        assert_eq!(
            seen,
            [
                ("a", Some(1), None, None),
                ("b", Some(2), Some(4), None),
                ("c", None, Some(5), None)
            ]
        );
        assert!(of_kernel.to_string().contains("0.500"));
    }

    #[test]
    fn a_table_is_read_as_it_was_written() {
        let figures = Figures {
            kernels: vec![OfKernel {
                kernel: "model".to_owned(),
                rows: vec![Row {
                    name: "a".to_owned(),
                    rust: Some(1),
                    ..Row::default()
                }],
                ..OfKernel::default()
            }],
        };
        assert_eq!(
            Figures::from_json(&figures.to_json()).expect("valid"),
            figures
        );
        assert!(Figures::from_json("{}").is_err());
    }

    /// Asserts that the table in the book equals the recorded table of `bench --check`.
    #[test]
    fn the_book_shows_the_table_of_the_guard() {
        let file = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../../microkit-systems/bench/bench.json"
        );
        let book = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/performance.md");
        let [file, book] = [file, book].map(|path| std::fs::read_to_string(path).expect(path));
        let figures = Figures::from_json(&file).expect("a valid table");
        assert!(!figures.kernels.is_empty());
        for line in figures.kernels.iter().flat_map(|k| {
            let lines: Vec<_> = k.to_string().lines().map(str::to_owned).collect();
            lines
        }) {
            assert!(
                book.lines().any(|shown| shown == line),
                "docs/performance.md lacks `{line}`: copy the output of `cargo microkit bench`"
            );
        }
    }
}
