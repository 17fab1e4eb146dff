//! Reads the layout of a C program's types from its debug information.

use std::borrow::Cow;
use std::collections::BTreeMap;

use addr2line::gimli;
use gimli::{AttributeValue, DebuggingInformationEntry, EndianSlice, LittleEndian};
use object::{Object, ObjectSection};

type Slice<'a> = EndianSlice<'a, LittleEndian>;

/// The structures and enumerators of a program.
#[derive(Debug, Default)]
pub(super) struct Types {
    structures: BTreeMap<String, Structure>,
    enumerators: BTreeMap<String, u64>,
}

#[derive(Debug, Default)]
struct Structure {
    bytes: u64,
    members: BTreeMap<String, u64>,
}

impl Types {
    /// Reads the types of an ELF file. Returns `None` if the debug information cannot be read.
    /// Returns no types if the file has no debug information.
    pub(super) fn from_elf(file: &object::File<'_>) -> Option<Self> {
        let load = |id: gimli::SectionId| -> Result<Cow<'_, [u8]>, gimli::Error> {
            let section = file.section_by_name(id.name());
            let data = section.and_then(|section| section.uncompressed_data().ok());
            Ok(data.unwrap_or_default())
        };
        let sections = gimli::DwarfSections::load(load).ok()?;
        let dwarf = sections.borrow(|section| EndianSlice::new(section, LittleEndian));
        let mut types = Self::default();
        let mut units = dwarf.units();
        while let Some(header) = units.next().ok()? {
            let unit = dwarf.unit(header).ok()?;
            let mut tree = unit.entries_tree(None).ok()?;
            let mut children = tree.root().ok()?.children();
            while let Some(child) = children.next().ok()? {
                let (tag, name) = (child.entry().tag(), name(&dwarf, &unit, child.entry()));
                match (tag, name) {
                    (gimli::DW_TAG_structure_type, Some(name)) => {
                        let bytes = number(child.entry(), gimli::DW_AT_byte_size);
                        let mut structure = Structure {
                            bytes: bytes.unwrap_or_default(),
                            ..Structure::default()
                        };
                        let mut members = child.children();
                        while let Some(member) = members.next().ok()? {
                            let member = member.entry();
                            let offset = number(member, gimli::DW_AT_data_member_location);
                            if let Some((name, offset)) =
                                self::name(&dwarf, &unit, member).zip(offset)
                            {
                                structure.members.insert(name, offset);
                            }
                        }
                        // A compilation unit that only declares a structure does not state the
                        // size.
                        if structure.bytes > 0 {
                            types.structures.insert(name, structure);
                        }
                    }
                    (gimli::DW_TAG_enumeration_type, _) => {
                        let mut members = child.children();
                        while let Some(member) = members.next().ok()? {
                            let member = member.entry();
                            let value = number(member, gimli::DW_AT_const_value);
                            if let Some((name, value)) =
                                self::name(&dwarf, &unit, member).zip(value)
                            {
                                types.enumerators.insert(name, value);
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
        Some(types)
    }

    /// Returns the size of a structure.
    pub(super) fn bytes(&self, structure: &str) -> Option<u64> {
        Some(self.structures.get(structure)?.bytes)
    }

    /// Returns the offset of a member in a structure.
    pub(super) fn offset(&self, structure: &str, member: &str) -> Option<u64> {
        self.structures.get(structure)?.members.get(member).copied()
    }

    /// Returns the value of an enumerator.
    pub(super) fn enumerator(&self, name: &str) -> Option<u64> {
        self.enumerators.get(name).copied()
    }
}

fn name<'a>(
    dwarf: &gimli::Dwarf<Slice<'a>>,
    unit: &gimli::Unit<Slice<'a>>,
    entry: &DebuggingInformationEntry<Slice<'a>>,
) -> Option<String> {
    let name = entry.attr_value(gimli::DW_AT_name)?;
    let name = dwarf.attr_string(unit, name).ok()?;
    name.to_string().ok().map(str::to_owned)
}

fn number(entry: &DebuggingInformationEntry<Slice<'_>>, attribute: gimli::DwAt) -> Option<u64> {
    match entry.attr_value(attribute)? {
        AttributeValue::Sdata(value) => u64::try_from(value).ok(),
        value => value.udata_value(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list of names with their numbers.
    type Numbers<'a> = &'a [(&'a str, u64)];

    impl Types {
        /// Creates structures with their sizes and members, and enumerators.
        pub(in super::super) fn new(
            structures: &[(&str, u64, Numbers<'_>)],
            enumerators: Numbers<'_>,
        ) -> Self {
            let owned = |all: Numbers<'_>| {
                let all = all.iter().map(|(name, value)| ((*name).to_owned(), *value));
                all.collect()
            };
            let structures = structures.iter().map(|(name, bytes, members)| {
                let members = owned(members);
                let bytes = *bytes;
                ((*name).to_owned(), Structure { bytes, members })
            });
            Self {
                structures: structures.collect(),
                enumerators: owned(enumerators),
            }
        }
    }

    #[test]
    fn types_are_read_from_a_compiled_program() {
        let Ok(compiler) = which::which("cc") else {
            eprintln!("SKIPPED: no C compiler was found, so no types were read");
            return;
        };
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = |name: &str| folder.path().join(name);
        let source = "struct outer { char a; struct inner *i; long b[2]; };\n\
            enum state { State_First, State_Last = 77 };\n\
            struct outer object; enum state state;\n";
        std::fs::write(path("x.c"), source).expect("the source");
        let status = std::process::Command::new(compiler)
            .args(["-g", "-shared", "-nostdlib", "-o"])
            .args([path("x.so"), path("x.c")])
            .status();
        assert!(status.expect("it runs").success());
        let bytes = std::fs::read(path("x.so")).expect("the program");
        let file = object::File::parse(&*bytes).expect("an ELF file");
        let types = Types::from_elf(&file).expect("it has debug information");
        let word = size_of::<usize>() as u64;
        assert_eq!(types.bytes("outer"), Some(4 * word));
        assert_eq!(types.offset("outer", "b"), Some(2 * word));
        assert_eq!(types.offset("outer", "c"), None);
        assert_eq!(types.bytes("inner"), None);
        assert_eq!(types.enumerator("State_Last"), Some(77));
        assert_eq!(types.enumerator("State_Other"), None);
    }
}
