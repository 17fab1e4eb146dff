//! Reads a program's use of memory: the records of the runtime's region macros, and the size of the
//! data that is kept for a restart.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::fs;
use std::path::Path;

use microkit_abi::regions;
use microkit_check::{MemoryUse, RegionUse};
use microkit_sdf as sdf;
use miette::{Report, miette};
use object::read::File;
use object::{Object, ObjectSection, ObjectSegment, ObjectSymbol, SegmentFlags, SymbolKind, elf};

use crate::files;

/// Returns the memory expectations of the program at `path`, or `None` if the program has no
/// records. Reads the program's symbols from the file at `symbols`.
pub(super) fn read(path: &Path, symbols: &Path) -> Result<Option<MemoryUse>, Unreadable> {
    let bytes = |path: &Path| {
        fs::read(path).map_err(|e| Unreadable::File(files::cannot("read the program", path, &e)))
    };
    of_bytes(&bytes(path)?, &bytes(symbols)?)
}

/// The reason why a program's records cannot be read.
#[derive(Debug)]
pub(super) enum Unreadable {
    File(Report),
    NoSymbols,
    Section(String),
}

impl Unreadable {
    pub(super) fn report(self, pd: &str, image: &sdf::ProgramImage) -> Report {
        let path = image.path.display();
        match self {
            Self::File(report) => report,
            Self::NoSymbols => miette!(
                help = "do not strip it: remove `strip` from the Cargo profile and `-s` from the \
                        linker's arguments, or name a copy that is not stripped in \
                        `path_for_symbols`",
                "`{path}`, the program of `{pd}`, has no symbol table"
            ),
            Self::Section(error) => miette!(
                help = "rebuild it, and do not strip it",
                "the section `{}` of `{path}`, the program of `{pd}`, cannot be read: {error}",
                regions::SECTION
            ),
        }
    }
}

fn of_bytes(program: &[u8], symbols: &[u8]) -> Result<Option<MemoryUse>, Unreadable> {
    let section = |error: object::Error| Unreadable::Section(error.to_string());
    let file = File::parse(program).map_err(section)?;
    let symbols = File::parse(symbols).map_err(section)?;
    let Some(records) = file.section_by_name(regions::SECTION) else {
        let is_ours = symbols.symbol_by_name(regions::STACK_SYMBOL).is_some();
        return match is_ours {
            true => Err(Unreadable::Section(
                "it does not exist: the linker script must not merge it into another".to_owned(),
            )),
            false => Ok(None),
        };
    };
    let records = records.data().map_err(section)?;
    if symbols.symbols().next().is_none() {
        return Err(Unreadable::NoSymbols);
    }
    of_records(&file, records, &symbols)
        .map(Some)
        .map_err(Unreadable::Section)
}

fn of_records(file: &File<'_>, records: &[u8], symbols: &File<'_>) -> Result<MemoryUse, String> {
    let text = |error: &dyn Display| error.to_string();
    let data = symbols
        .section_by_name(".data")
        .map(|section| section.index());
    let (mut names, mut variables) = (BTreeMap::new(), BTreeSet::new());
    // The filter also excludes mapping symbols such as `$d`, because they have no kind.
    for symbol in symbols
        .symbols()
        .filter(|symbol| symbol.kind() == SymbolKind::Data)
    {
        let name = symbol.name().map_err(|e| text(&e))?;
        names.insert(symbol.address(), name.to_owned());
        let is_word = symbol.size() == size_of::<u64>() as u64;
        if is_word && symbol.section_index() == data && !name.starts_with("microkit_") {
            variables.insert(name.to_owned());
        }
    }
    let number = |name: &str| {
        let mut symbols = symbols.symbols();
        let symbol = symbols.find(|symbol| symbol.name() == Ok(name));
        let symbol = symbol.ok_or_else(|| format!("the symbol `{name}` does not exist"))?;
        word(file, symbol.address()).ok_or_else(|| format!("`{name}` is not in the file"))
    };
    let (stack_bytes, kept_bytes) = (
        number(regions::STACK_SYMBOL)?,
        number(regions::KEPT_SYMBOL)?,
    );
    let regions = RegionUse::all_from_bytes(records, &names).map_err(|e| text(&e))?;
    let (mut end, mut data_bytes) = (0, 0);
    for segment in file.segments() {
        end = end.max(segment.address().saturating_add(segment.size()));
        if let SegmentFlags::Elf { p_flags, .. } = segment.flags()
            && p_flags.contains(elf::PF_W)
        {
            data_bytes += segment.file_range().1;
        }
    }
    let has_headers = has_headers(file);
    Ok(MemoryUse {
        regions,
        stack_bytes,
        variables,
        end,
        data_bytes,
        kept_bytes,
        has_headers,
    })
}

/// Returns whether one segment holds the ELF header and the program headers.
fn has_headers(file: &File<'_>) -> bool {
    let File::Elf64(elf) = file else { return false };
    let header = elf.elf_header();
    let endian = elf.endian();
    let size = u64::from(header.e_phentsize.get(endian)) * u64::from(header.e_phnum.get(endian));
    let end = header.e_phoff.get(endian) + size;
    file.segments().any(|segment| {
        let (offset, bytes) = segment.file_range();
        offset == 0 && bytes >= end
    })
}

/// Reads the word at a virtual address of a program.
fn word(file: &File<'_>, address: u64) -> Option<u64> {
    let bytes = file.sections().find_map(|section| {
        let range = section.data_range(address, size_of::<u64>() as u64);
        range.ok().flatten()
    })?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use object::write::{Object, Symbol, SymbolSection};
    use object::{Architecture, BinaryFormat, Endianness, SectionKind, SymbolFlags, SymbolScope};

    use super::*;

    #[test]
    fn a_program_whose_records_were_merged_into_another_section_is_refused() {
        let with_symbol = |name: &str| {
            let mut object =
                Object::new(BinaryFormat::Elf, Architecture::Aarch64, Endianness::Little);
            let id = object.add_section(vec![], ".rodata".into(), SectionKind::ReadOnlyData);
            let value = object.append_section_data(id, &[0; 8], 8);
            object.add_symbol(Symbol {
                name: name.into(),
                value,
                size: 8,
                kind: SymbolKind::Data,
                scope: SymbolScope::Linkage,
                weak: false,
                section: SymbolSection::Section(id),
                flags: SymbolFlags::None,
            });
            object.write().expect("an ELF file")
        };
        let ours = with_symbol(regions::STACK_SYMBOL);
        let lost = of_bytes(&ours, &ours);
        assert!(
            matches!(&lost, Err(Unreadable::Section(error)) if error.contains("linker script")),
            "{lost:?}"
        );
        let other = with_symbol("other");
        let none = of_bytes(&other, &other);
        assert!(matches!(none, Ok(None)), "{none:?}");
    }

    /// Makes an ELF file with one segment. The segment covers this range of the file.
    fn elf_of_segment(offset: u64, bytes: u64) -> Vec<u8> {
        let mut file = vec![0; 64 + 56];
        let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
        // The magic number, 64 bits, little-endian, version 1.
        put(0, b"\x7fELF\x02\x01\x01");
        put(16, &2_u16.to_le_bytes()); // e_type: ET_EXEC
        put(18, &183_u16.to_le_bytes()); // e_machine: EM_AARCH64
        put(20, &1_u32.to_le_bytes()); // e_version
        put(32, &64_u64.to_le_bytes()); // e_phoff
        put(52, &64_u16.to_le_bytes()); // e_ehsize
        put(54, &56_u16.to_le_bytes()); // e_phentsize
        put(56, &1_u16.to_le_bytes()); // e_phnum
        put(64, &1_u32.to_le_bytes()); // p_type: PT_LOAD
        put(64 + 8, &offset.to_le_bytes()); // p_offset
        put(64 + 32, &bytes.to_le_bytes()); // p_filesz
        put(64 + 40, &bytes.to_le_bytes()); // p_memsz
        file
    }

    #[test]
    fn the_headers_are_in_memory_if_a_segment_has_all_of_them() {
        let check = |offset, bytes, expect| {
            let file = elf_of_segment(offset, bytes);
            let file = File::parse(&*file).expect("an ELF file");
            assert_eq!(has_headers(&file), expect, "{bytes} bytes at {offset}");
        };
        check(0, 64 + 56, true);
        check(0, 64 + 55, false);
        check(64, 56, false);
    }
}
