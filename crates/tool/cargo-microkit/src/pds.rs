//! The protection domains of a built system, their programs, and the memory use of each PD.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use object::read::File;
use object::{Object, ObjectSegment, ObjectSymbol, SegmentFlags, elf};

/// The symbol of the heap from `#[protection_domain(heap_size = …)]`.
const HEAP_SYMBOL: &str = "sel4_microkit_heap";

/// A protection domain and its program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProtectionDomain {
    pub(crate) name: String,
    /// The executed ELF file.
    pub(crate) program: PathBuf,
    /// The ELF file with the program's symbols and line numbers. This file may differ from
    /// `program`.
    pub(crate) symbols: PathBuf,
    /// The size of the PD's stack, in bytes.
    pub(crate) stack_bytes: u64,
}

/// The memory that a program uses, in bytes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sizes {
    text: u64,
    rodata: u64,
    data: u64,
    /// The size of `.bss` without the heap.
    bss: u64,
    heap: u64,
}

/// Renders a table of the memory that each PD uses. Unreadable programs are omitted.
pub(crate) fn table(pds: &[ProtectionDomain]) -> String {
    let head = ["PD", "text", "rodata", "data", "bss", "heap", "stack"].map(str::to_owned);
    let mut rows = vec![head];
    for pd in pds {
        let read = |path: &PathBuf| fs::read(path).ok();
        let Some((program, symbols)) = read(&pd.program).zip(read(&pd.symbols)) else {
            continue;
        };
        let Some(sizes) = sizes(&program, &symbols) else {
            continue;
        };
        let stack = pd.stack_bytes.to_string();
        let Sizes {
            text,
            rodata,
            data,
            bss,
            heap,
        } = sizes;
        let [text, rodata, data, bss, heap] =
            [text, rodata, data, bss, heap].map(|bytes| bytes.to_string());
        rows.push([pd.name.clone(), text, rodata, data, bss, heap, stack]);
    }
    aligned(&rows)
}

/// Aligns the first column to the left and the other columns to the right.
fn aligned<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    let widths: [usize; COLUMNS] = std::array::from_fn(|column| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or_default()
    });
    let mut text = String::new();
    for row in rows {
        let mut line = format!("{:<width$}", row[0], width = widths[0]);
        for (cell, width) in row.iter().zip(widths).skip(1) {
            // Writing to a string cannot fail.
            let _ = write!(line, "  {cell:>width$}");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn sizes(program: &[u8], symbols: &[u8]) -> Option<Sizes> {
    let file = File::parse(program).ok()?;
    let symbols = File::parse(symbols).ok()?;
    let mut sizes = Sizes::default();
    for segment in file.segments() {
        let SegmentFlags::Elf { p_flags, .. } = segment.flags() else {
            return None;
        };
        let (in_file, in_memory) = (segment.file_range().1, segment.size());
        if p_flags.contains(elf::PF_W) {
            sizes.data += in_file;
            sizes.bss += in_memory.saturating_sub(in_file);
        } else if p_flags.contains(elf::PF_X) {
            sizes.text += in_memory;
        } else {
            sizes.rodata += in_memory;
        }
    }
    let mut symbols = symbols.symbols();
    let heap = symbols.find(|symbol| symbol.name() == Ok(HEAP_SYMBOL));
    sizes.heap = heap.map_or(0, |symbol| symbol.size());
    sizes.bss = sizes.bss.saturating_sub(sizes.heap);
    Some(sizes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["PD", "text"], ["a", "12345"], ["longer", "1"]];
        let rows = rows.map(|row| row.map(str::to_owned));
        let table = "PD       text\na       12345\nlonger      1\n";
        assert_eq!(aligned(&rows), table);
    }

    #[test]
    fn a_file_that_is_not_a_program_is_left_out() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let program = directory.path().join("a.elf");
        fs::write(&program, "no program").expect("the file");
        let pd = ProtectionDomain {
            name: "a".to_owned(),
            symbols: program.clone(),
            program,
            stack_bytes: 0x1000,
        };
        assert_eq!(table(&[pd]), "PD  text  rodata  data  bss  heap  stack\n");
    }
}
