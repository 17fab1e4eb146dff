//! Checks a program's ELF file before packing. A PD that was built for another kernel would boot,
//! and then fail without a message that names the cause.

use std::path::Path;

use miette::{Report, Result, miette};
use object::read::File;
use object::{Architecture, Object, ObjectSection, ObjectSegment, ObjectSymbol, SymbolKind};

use crate::files;
use crate::nearest::quoted;
use crate::variant::Variant;

/// The symbol that names the kernel of a program's build, as `BOARD/CONFIG`. Only programs with
/// this project's runtime have this symbol.
const MARK_SYMBOL: &str = "sel4_kernel_configuration";

/// A symbol of every program with this project's runtime. This runtime initialises thread-local
/// variables.
const RUNTIME_SYMBOL: &str = "sel4_microkit_stack_bytes";

/// Checks that the file at `path` is a program for the kernel of `variant`.
pub(crate) fn check(path: &Path, variant: &Variant) -> Result<()> {
    let bytes = std::fs::read(path).map_err(|e| files::cannot("read the program", path, &e))?;
    let mark = kernel_mark(&bytes).map_err(|error| error.report(path))?;
    let wanted = variant.kernel_mark();
    match mark {
        Some(mark) if mark != wanted => Err(miette!(
            help = format!(
                "rebuild it for `{wanted}`: with `cargo microkit` if it is a binary of your Cargo \
                 project, else with MICROKIT_BOARD={} and MICROKIT_CONFIG={}",
                variant.board, variant.config
            ),
            "the program `{}` was built for the kernel `{mark}`, but this system is built for \
             `{wanted}`",
            path.display()
        )),
        _ => Ok(()),
    }
}

/// Checks that the file at `path` is a program, for any kernel.
pub(crate) fn check_file(path: &Path) -> Result<()> {
    let bytes = std::fs::read(path).map_err(|e| files::cannot("read the program", path, &e))?;
    kernel_mark(&bytes)
        .map(drop)
        .map_err(|error| error.report(path))
}

/// Returns whether the file at `symbols` can hold the symbols of the program at `program`: both
/// files have the same entry point and the same segment addresses.
///
/// Returns `true` if a file cannot be read. Other checks report unreadable files.
pub(crate) fn has_symbols_of(symbols: &Path, program: &Path) -> bool {
    let (Ok(symbols), Ok(program)) = (std::fs::read(symbols), std::fs::read(program)) else {
        return true;
    };
    let (Ok(symbols), Ok(program)) = (File::parse(&*symbols), File::parse(&*program)) else {
        return true;
    };
    let addresses = |file: &File<'_>| {
        let segments = file.segments().map(|segment| segment.address());
        (file.entry(), segments.collect::<Vec<u64>>())
    };
    addresses(&symbols) == addresses(&program)
}

/// The reason why a file cannot be a program.
#[derive(Debug, PartialEq, Eq)]
enum ElfError {
    NotElf,
    Damaged(String),
    Machine(Architecture),
    Mark,
    /// The program has thread-local variables with these names, but its runtime does not support
    /// thread-local variables.
    ThreadLocal(Vec<String>),
}

/// Reads the kernel mark of a program, or returns `None` if the program has no mark.
fn kernel_mark(bytes: &[u8]) -> Result<Option<String>, ElfError> {
    if !bytes.starts_with(b"\x7fELF") {
        return Err(ElfError::NotElf);
    }
    let damaged = |error: object::Error| ElfError::Damaged(error.to_string());
    let file = File::parse(bytes).map_err(damaged)?;
    if file.architecture() != Architecture::Aarch64 {
        return Err(ElfError::Machine(file.architecture()));
    }
    for segment in file.segments() {
        segment.data().map_err(damaged)?;
    }
    check_thread_local(&file)?;

    let Some(symbol) = file
        .symbols()
        .find(|symbol| symbol.name() == Ok(MARK_SYMBOL))
    else {
        return Ok(None);
    };
    let section = symbol
        .section_index()
        .and_then(|index| file.section_by_index(index).ok());
    let mark = section
        .and_then(|section| {
            section
                .data_range(symbol.address(), symbol.size())
                .ok()
                .flatten()
        })
        .and_then(|bytes| std::str::from_utf8(bytes).ok())
        .map(|text| text.trim_end_matches('\0'))
        .filter(|text| !text.is_empty());
    mark.map(|mark| Some(mark.to_owned())).ok_or(ElfError::Mark)
}

/// Checks that a program with thread-local variables has a runtime that initialises these
/// variables.
///
/// Microkit's C runtime does not initialise thread-local variables, so an access would fault at an
/// address near 0.
fn check_thread_local(file: &File<'_>) -> Result<(), ElfError> {
    let variables = file.symbols().filter(|s| s.kind() == SymbolKind::Tls);
    let names: Vec<_> = variables
        .filter_map(|symbol| symbol.name().ok())
        // Mapping symbols and the linker's own symbols are not variables.
        .filter(|name| !name.is_empty() && !name.starts_with('$') && !name.starts_with("_TLS_"))
        .map(str::to_owned)
        .collect();
    let has_runtime = || file.symbols().any(|s| s.name() == Ok(RUNTIME_SYMBOL));
    if names.is_empty() || has_runtime() {
        return Ok(());
    }
    Err(ElfError::ThreadLocal(names))
}

impl ElfError {
    fn report(self, path: &Path) -> Report {
        let path = path.display();
        match self {
            Self::NotElf => miette!(
                help = "a PD's program is the ELF file that the linker makes",
                "the program `{path}` is not an ELF file"
            ),
            Self::Damaged(error) => miette!(
                help = "rebuild it",
                "the program `{path}` is a truncated or damaged ELF file: {error}"
            ),
            Self::Machine(machine) => miette!(
                help = "build it for AArch64; in Rust that is the target `aarch64-unknown-none`",
                "the program `{path}` is for the machine {machine:?}, not for AArch64"
            ),
            Self::Mark => miette!(
                help = "rebuild it, and do not strip it",
                "the program `{path}` has the symbol `{MARK_SYMBOL}`, but the name of its kernel \
                 cannot be read there"
            ),
            Self::ThreadLocal(names) => miette!(
                help = "remove `_Thread_local` or `__thread`: a protection domain has only one \
                        thread; programs with the `sel4-microkit` runtime may have such variables",
                "the program `{path}` has thread-local variables, which Microkit's C runtime does \
                 not support: {}",
                quoted(names)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use object::write::{Object, Symbol, SymbolSection};
    use object::{BinaryFormat, Endianness, SectionKind, SymbolFlags, SymbolScope};

    use super::*;

    fn elf(architecture: Architecture, mark: Option<&[u8]>) -> Vec<u8> {
        let mut object = Object::new(BinaryFormat::Elf, architecture, Endianness::Little);
        let section = object.add_section(vec![], b".rodata".to_vec(), SectionKind::ReadOnlyData);
        object.append_section_data(section, b"before", 1);
        if let Some(mark) = mark {
            let value = object.append_section_data(section, mark, 1);
            object.append_section_data(section, b"after", 1);
            object.add_symbol(Symbol {
                name: MARK_SYMBOL.into(),
                value,
                size: mark.len() as u64,
                kind: SymbolKind::Data,
                scope: SymbolScope::Linkage,
                weak: false,
                section: SymbolSection::Section(section),
                flags: SymbolFlags::None,
            });
        }
        object.write().expect("an ELF file")
    }

    #[test]
    fn the_mark_is_read_whole_and_without_padding() {
        let check = |mark: Option<&[u8]>, expect: Result<Option<&str>, ElfError>| {
            let found = kernel_mark(&elf(Architecture::Aarch64, mark));
            assert_eq!(found, expect.map(|mark| mark.map(str::to_owned)));
        };
        check(
            Some(b"qemu_virt_aarch64/debug"),
            Ok(Some("qemu_virt_aarch64/debug")),
        );
        check(Some(b"b/c\0\0\0\0"), Ok(Some("b/c")));
        check(None, Ok(None));
        check(Some(b""), Err(ElfError::Mark));
        check(Some(b"\0\0"), Err(ElfError::Mark));
        check(Some(b"\xff\xfe"), Err(ElfError::Mark));
    }

    #[test]
    fn thread_local_variables_need_a_runtime_that_supports_them() {
        let check = |symbols: &[(&str, SectionKind)], expect: Result<(), ElfError>| {
            let mut object =
                Object::new(BinaryFormat::Elf, Architecture::Aarch64, Endianness::Little);
            for &(name, kind) in symbols {
                let section = object.add_section(vec![], b".section".to_vec(), kind);
                let value = object.append_section_data(section, &[0; 8], 8);
                object.add_symbol(Symbol {
                    name: name.into(),
                    value,
                    size: 8,
                    kind: match kind {
                        SectionKind::Tls => SymbolKind::Tls,
                        _ => SymbolKind::Data,
                    },
                    scope: SymbolScope::Linkage,
                    weak: false,
                    section: SymbolSection::Section(section),
                    flags: SymbolFlags::None,
                });
            }
            let bytes = object.write().expect("an ELF file");
            assert_eq!(kernel_mark(&bytes).map(drop), expect, "{symbols:?}");
        };
        let thread_local = |name| (name, SectionKind::Tls);
        let plain = |name| (name, SectionKind::Data);
        check(&[plain("errno")], Ok(()));
        check(
            &[thread_local("errno"), plain("other"), thread_local("depth")],
            Err(ElfError::ThreadLocal(vec!["errno".into(), "depth".into()])),
        );
        check(&[thread_local("errno"), plain(RUNTIME_SYMBOL)], Ok(()));
    }

    #[test]
    fn each_kind_of_wrong_file_has_its_own_error() {
        assert_eq!(kernel_mark(b""), Err(ElfError::NotElf));
        assert_eq!(kernel_mark(b"#!/bin/sh"), Err(ElfError::NotElf));
        let foreign = elf(Architecture::X86_64, None);
        assert_eq!(
            kernel_mark(&foreign),
            Err(ElfError::Machine(Architecture::X86_64))
        );
    }

    #[test]
    fn every_truncated_file_is_an_error() {
        let whole = elf(Architecture::Aarch64, Some(b"qemu_virt_aarch64/debug"));
        for length in 0..whole.len() {
            assert!(
                kernel_mark(&whole[..length]).is_err(),
                "{length} of {} bytes",
                whole.len()
            );
        }
    }
}
