//! Reads ELF files. No field of the file is trusted.

use std::collections::BTreeMap;
use std::ops::Range;

use boot_spec::Perms;
use object::LittleEndian;
use object::elf;
use object::read::elf::{FileHeader, ProgramHeader, SectionTable, Sym};

use crate::program_error::ProgramError;

type Header = elf::FileHeader64<LittleEndian>;

const LE: LittleEndian = LittleEndian;

/// An ELF file with the header of a program for AArch64.
pub(crate) struct ElfFile<'data> {
    header: &'data Header,
    data: &'data [u8],
}

/// A loadable segment of an ELF file. The segment is not empty, and its addresses do not wrap
/// around. The file contains all file bytes of the segment. The number of file bytes is at most the
/// number of bytes in memory.
#[derive(Debug, Clone)]
pub(crate) struct Segment<'data> {
    /// The index of the segment among the program headers, counted as in `readelf`.
    pub(crate) index: usize,
    pub(crate) vaddr: u64,
    pub(crate) paddr: u64,
    pub(crate) mem_bytes: u64,
    pub(crate) file: &'data [u8],
    pub(crate) perms: Perms,
}

impl Segment<'_> {
    /// Returns the virtual addresses of the segment.
    pub(crate) fn range(&self) -> Range<u64> {
        self.vaddr..self.vaddr + self.mem_bytes
    }
}

/// The symbols of an ELF file by name.
pub(crate) struct Symbols(BTreeMap<String, Symbol>);

/// The entries of the symbol table for one name.
#[derive(Debug, Copy, Clone)]
struct Symbol {
    vaddr: u64,
    bytes: u64,
    is_alone: bool,
}

impl<'data> ElfFile<'data> {
    /// Parses the header.
    ///
    /// # Errors
    ///
    /// Returns an error if the file is not a 64-bit, little-endian executable for AArch64.
    pub(crate) fn parse(data: &'data [u8]) -> Result<Self, ProgramError> {
        if !data.starts_with(&elf::ELFMAG) {
            return Err(ProgramError::NotElf);
        }
        let header = Header::parse(data).map_err(malformed)?;
        if !header.is_little_endian() {
            return Err(ProgramError::BigEndian);
        }
        let machine = header.e_machine(LE);
        if machine != elf::EM_AARCH64 {
            return Err(ProgramError::Machine { found: machine.0 });
        }
        let kind = header.e_type(LE);
        if kind != elf::ET_EXEC {
            return Err(ProgramError::NotExecutable { found: kind.0 });
        }
        Ok(Self { header, data })
    }

    /// Returns the address of the first instruction.
    pub(crate) fn entry(&self) -> u64 {
        self.header.e_entry(LE)
    }

    /// Returns the loadable segments in the order of the program headers, and an error for each
    /// invalid segment. Skips segments without bytes in memory.
    pub(crate) fn segments(&self) -> (Vec<Segment<'data>>, Vec<ProgramError>) {
        let (mut segments, mut errors) = (Vec::new(), Vec::new());
        let headers = self
            .header
            .program_headers(LE, self.data)
            .unwrap_or_else(|error| {
                errors.push(malformed(error));
                &[]
            });
        for (index, header) in headers.iter().enumerate() {
            if header.p_type(LE) != elf::PT_LOAD {
                continue;
            }
            match self.segment(index, header) {
                Ok(segment) if segment.mem_bytes == 0 => {}
                Ok(segment) => segments.push(segment),
                Err(error) => errors.push(error),
            }
        }
        (segments, errors)
    }

    fn segment(
        &self,
        index: usize,
        header: &elf::ProgramHeader64<LittleEndian>,
    ) -> Result<Segment<'data>, ProgramError> {
        let (offset, file_bytes) = header.file_range(LE);
        let file = offset
            .checked_add(file_bytes)
            .and_then(|end| Some(usize::try_from(offset).ok()?..usize::try_from(end).ok()?))
            .and_then(|range| self.data.get(range))
            .ok_or(ProgramError::SegmentNotInFile { index })?;
        let (vaddr, paddr) = (header.p_vaddr(LE), header.p_paddr(LE));
        let mem_bytes = header.p_memsz(LE);
        if file_bytes > mem_bytes {
            return Err(ProgramError::SegmentCutShort {
                index,
                file_bytes,
                mem_bytes,
            });
        }
        if vaddr.checked_add(mem_bytes).is_none() || paddr.checked_add(mem_bytes).is_none() {
            return Err(ProgramError::SegmentWraps { index });
        }
        let flags = header.p_flags(LE);
        let perms = Perms {
            read: flags.contains(elf::PF_R),
            write: flags.contains(elf::PF_W),
            execute: flags.contains(elf::PF_X),
        };
        Ok(Segment {
            index,
            vaddr,
            paddr,
            mem_bytes,
            file,
            perms,
        })
    }

    /// Returns all symbols, including local symbols, because the SDK's tool also searches local
    /// symbols.
    ///
    /// # Errors
    ///
    /// Returns an error if the file has no symbol table, or if the table cannot be read.
    pub(crate) fn symbols(&self) -> Result<Symbols, ProgramError> {
        let sections = self
            .header
            .section_headers(LE, self.data)
            .map_err(malformed)?;
        // The names of sections are not used, so an unreadable name table is not an error.
        let sections = SectionTable::<Header>::new(sections, Default::default());
        let table = sections
            .symbols(LE, self.data, elf::SHT_SYMTAB)
            .map_err(malformed)?;
        if table.is_empty() {
            return Err(ProgramError::NoSymbols);
        }
        let mut symbols = BTreeMap::new();
        for symbol in table.iter() {
            let name = symbol.name(LE, table.strings()).map_err(malformed)?;
            let name = str::from_utf8(name).map_err(|error| {
                let reason = format!("the name of a symbol: {error}");
                ProgramError::Malformed { reason }
            })?;
            let (vaddr, bytes) = (symbol.st_value(LE), symbol.st_size(LE));
            symbols
                .entry(name.to_owned())
                .and_modify(|symbol: &mut Symbol| symbol.is_alone = false)
                .or_insert(Symbol {
                    vaddr,
                    bytes,
                    is_alone: true,
                });
        }
        Ok(Symbols(symbols))
    }
}

impl Symbols {
    /// Returns the addresses of the symbol `name`.
    ///
    /// # Errors
    ///
    /// Returns an error if the file has no symbol `name` or several symbols `name`, or if the
    /// symbol extends past the last address.
    pub(crate) fn find(&self, name: &str) -> Result<Range<u64>, ProgramError> {
        let symbol = || name.to_owned();
        match self.0.get(name) {
            None => Err(ProgramError::SymbolMissing { symbol: symbol() }),
            Some(found) if !found.is_alone => Err(ProgramError::SymbolTwice { symbol: symbol() }),
            Some(&Symbol { vaddr, bytes, .. }) => match vaddr.checked_add(bytes) {
                Some(end) => Ok(vaddr..end),
                None => Err(ProgramError::SymbolWraps { symbol: symbol() }),
            },
        }
    }
}

fn malformed(error: object::Error) -> ProgramError {
    ProgramError::Malformed {
        reason: error.to_string(),
    }
}
