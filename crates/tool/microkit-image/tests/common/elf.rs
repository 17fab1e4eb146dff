//! Builds ELF files for tests: good and bad programs of protection domains, and kernels.

use object::elf;
use object::write::elf::{FileHeader, ProgramHeader, Sym, Writer};
use object::{Endianness, elf::Machine};

/// The addresses of the code, of the data, and of the words in the data of [`Elf::pd`].
pub(crate) const CODE: u64 = 0x20_0000;
pub(crate) const DATA: u64 = 0x21_0000;
pub(crate) const WORDS: u64 = DATA + 0x100;

/// The symbols of the runtime: the name, the offset from [`DATA`] and the length in bytes.
const RUNTIME: [(&str, u64, u64); 6] = [
    ("microkit_name", 0, 64),
    ("microkit_passive", 64, 1),
    ("microkit_irqs", 72, 8),
    ("microkit_notifications", 80, 8),
    ("microkit_pps", 88, 8),
    ("microkit_ioports", 96, 8),
];

/// The fields of an ELF file, as written to its headers.
#[derive(Debug, Clone)]
pub(crate) struct Elf {
    pub(crate) entry: u64,
    pub(crate) machine: Machine,
    pub(crate) kind: elf::FileType,
    pub(crate) endianness: Endianness,
    pub(crate) segments: Vec<Segment>,
    /// The name, the address and the length in bytes of each symbol.
    pub(crate) symbols: Vec<(String, u64, u64)>,
}

/// A segment of an ELF file.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    pub(crate) vaddr: u64,
    pub(crate) paddr: u64,
    pub(crate) bytes: Vec<u8>,
    pub(crate) mem_bytes: u64,
    /// The permissions: a subset of `r`, `w` and `x`.
    pub(crate) perms: &'static str,
    /// A wrong file length for the program header. `None` is the correct length.
    pub(crate) lie_bytes: Option<u64>,
}

impl Segment {
    pub(crate) fn new(vaddr: u64, bytes: &[u8], mem_bytes: u64, perms: &'static str) -> Self {
        let bytes = bytes.to_vec();
        Self {
            vaddr,
            paddr: vaddr,
            bytes,
            mem_bytes,
            perms,
            lie_bytes: None,
        }
    }

    fn flags(&self) -> elf::ProgramFlags {
        let bits = [('r', elf::PF_R), ('w', elf::PF_W), ('x', elf::PF_X)];
        let bits = bits
            .iter()
            .filter(|(letter, _)| self.perms.contains(*letter));
        elf::ProgramFlags(bits.map(|(_, bit)| bit.0).sum())
    }
}

impl Elf {
    /// Makes a program for a protection domain: code, data with the symbols of the runtime, and
    /// `.bss`.
    pub(crate) fn pd() -> Self {
        let code: Vec<u8> = (1..=0x40).collect();
        let data: Vec<u8> = (0x81..=0xff).collect();
        let symbols = RUNTIME.map(|(name, offset, bytes)| (name.to_owned(), DATA + offset, bytes));
        Self {
            entry: CODE,
            machine: elf::EM_AARCH64,
            kind: elf::ET_EXEC,
            endianness: Endianness::Little,
            segments: vec![
                Segment::new(CODE, &code, 0x40, "rx"),
                Segment::new(DATA, &data, 0x1800, "rw"),
            ],
            symbols: symbols.to_vec(),
        }
    }

    /// Makes a kernel with the load address `start` and the payload at `payload`.
    pub(crate) fn kernel(start: u64, payload: u64) -> Self {
        let segments = vec![
            Segment::new(start, &[0x14, 1, 2, 3], 4, "rx"),
            Segment::new(start + 0x1000, &[4, 5], 0x800, "rw"),
        ];
        let symbols = vec![("__payload_start".to_owned(), payload, 0)];
        Self {
            entry: start,
            segments,
            symbols,
            ..Self::pd()
        }
    }

    /// Adds a symbol of 8 bytes: the word number `index` from [`WORDS`].
    pub(crate) fn word(self, name: &str, index: u64) -> Self {
        self.symbol(name, WORDS + 8 * index, 8)
    }

    /// Adds a symbol.
    pub(crate) fn symbol(mut self, name: &str, vaddr: u64, bytes: u64) -> Self {
        self.symbols.push((name.to_owned(), vaddr, bytes));
        self
    }

    /// Removes a symbol.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.symbols.retain(|(symbol, ..)| symbol != name);
        self
    }

    /// Adds a segment.
    pub(crate) fn segment(mut self, segment: Segment) -> Self {
        self.segments.push(segment);
        self
    }

    /// Applies a change.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// Returns the bytes of the ELF file.
    pub(crate) fn build(&self) -> Vec<u8> {
        let mut file = Vec::new();
        let mut start = Vec::new();
        let mut writer = Writer::new_single_phase(self.endianness, true, &mut file);
        let header = FileHeader {
            os_abi: elf::ELFOSABI_NONE,
            abi_version: 0,
            e_type: self.kind,
            e_machine: self.machine,
            e_entry: self.entry,
            e_flags: elf::FileFlags(0),
        };
        writer.write_file_header(&header).unwrap();
        writer.write_program_headers_placeholder(self.segments.len() as u32);
        let mut headers = Vec::new();
        for segment in &self.segments {
            let offset = writer.write_align(16);
            writer.write(&segment.bytes);
            headers.push(ProgramHeader {
                p_type: elf::PT_LOAD,
                p_flags: segment.flags(),
                p_offset: offset,
                p_vaddr: segment.vaddr,
                p_paddr: segment.paddr,
                p_filesz: segment.lie_bytes.unwrap_or(segment.bytes.len() as u64),
                p_memsz: segment.mem_bytes,
                p_align: 0x1000,
            });
        }
        if !self.symbols.is_empty() {
            self.write_symbols(&mut writer);
        }
        writer.write_headers_to(&mut start, &headers).unwrap();
        file[..start.len()].copy_from_slice(&start);
        file
    }

    fn write_symbols<'a>(&'a self, writer: &mut Writer<'a, object::write::elf::SinglePhase>) {
        let names: Vec<_> = self
            .symbols
            .iter()
            .map(|(name, ..)| writer.add_string(name.as_bytes()))
            .collect();
        writer.write_strtab().unwrap();
        writer.write_null_symbol();
        for ((_, vaddr, bytes), name) in self.symbols.iter().zip(names) {
            let st_name = writer.string_offset(Some(name));
            writer.write_symbol(&Sym {
                section: None,
                st_name,
                st_info: elf::SymbolInfo::new(elf::STB_GLOBAL, elf::STT_OBJECT),
                st_other: elf::SymbolOther(0),
                st_shndx: elf::SHN_ABS,
                st_value: *vaddr,
                st_size: *bytes,
            });
        }
        writer.write_shstrtab().unwrap();
        writer.write_null_section_header();
        writer.write_strtab_section_header();
        writer.write_symtab_section_header(1);
        writer.write_shstrtab_section_header();
    }
}
