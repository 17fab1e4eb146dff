//! The programs of protection domains, parsed from their files.

use std::path::Path;

use boot_spec::Perms;
use microkit_abi::limits::SMALL_PAGE_BYTES;
use microkit_sdf::{ProtectionDomain, Span, System};

use crate::elf::{ElfFile, Segment, Symbols};
use crate::error::{PlanError, PlanErrorKind};
use crate::files::Files;
use crate::platform::overlap;
use crate::program_error::ProgramError;
use crate::space;

/// The address of an [empty](Program::empty) program, if no memory region is mapped at the address.
const EMPTY_ENTRY: u64 = 0x20_0000;

/// The contents of the files of a program.
pub(crate) struct ProgramFiles {
    image: Vec<u8>,
    symbols: Option<Vec<u8>>,
}

/// A parsed program. Unreadable parts are missing, and their errors were reported.
pub(crate) struct Program<'data> {
    pub(crate) entry: u64,
    pub(crate) segments: Vec<Segment<'data>>,
    pub(crate) symbols: Option<Symbols>,
    /// Whether `segments` has all segments of the file.
    pub(crate) is_whole: bool,
}

impl Program<'_> {
    /// Makes a program of one executable page of zeros. The program's address is the lowest free
    /// page of `pd` from `0x20_0000`.
    pub(crate) fn empty(pd: &ProtectionDomain, system: &System) -> Self {
        let page = |vaddr| vaddr..vaddr + SMALL_PAGE_BYTES;
        let maps = || pd.maps.iter().map(|map| space::mapped(map, system));
        let mut entry = EMPTY_ENTRY;
        while let Some(map) = maps().find(|map| overlap(map, &page(entry))) {
            entry = map.end;
        }
        let segment = Segment {
            index: 0,
            vaddr: entry,
            paddr: entry,
            mem_bytes: SMALL_PAGE_BYTES,
            file: &[],
            perms: Perms {
                read: true,
                write: false,
                execute: true,
            },
        };
        Self {
            entry,
            segments: vec![segment],
            symbols: None,
            is_whole: true,
        }
    }
}

/// Reads the files of the program of `pd`.
pub(crate) fn read(
    pd: &ProtectionDomain,
    files: &dyn Files,
    errors: &mut Vec<PlanError>,
) -> Option<ProgramFiles> {
    let mut read = |path: &Path| match files.read(path) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            let error = ProgramError::Unreadable {
                reason: error.to_string(),
            };
            errors.push(error_in(path, pd, pd.span, error));
            None
        }
    };
    let image = read(&pd.program_image.path);
    let symbols = pd.program_image.path_for_symbols.as_deref().map(&mut read);
    match (image, symbols) {
        (Some(image), None) => Some(ProgramFiles {
            image,
            symbols: None,
        }),
        (Some(image), Some(Some(symbols))) => Some(ProgramFiles {
            image,
            symbols: Some(symbols),
        }),
        _ => None,
    }
}

/// Parses the files of the program of `pd`.
pub(crate) fn parse<'data>(
    pd: &ProtectionDomain,
    files: &'data ProgramFiles,
    errors: &mut Vec<PlanError>,
) -> Option<Program<'data>> {
    let path = &pd.program_image.path;
    let mut report = |path: &Path, error| errors.push(error_in(path, pd, pd.span, error));
    let elf = ElfFile::parse(&files.image)
        .map_err(|error| report(path, error))
        .ok();
    let symbols = match (&files.symbols, &elf) {
        (None, elf) => elf
            .as_ref()
            .and_then(|elf| elf.symbols().map_err(|error| report(path, error)).ok()),
        (Some(symbols), _) => ElfFile::parse(symbols)
            .and_then(|elf| elf.symbols())
            .map_err(|error| report(symbols_path(pd), error))
            .ok(),
    };
    let elf = elf?;
    let (segments, errors) = elf.segments();
    let is_whole = errors.is_empty();
    errors.into_iter().for_each(|error| report(path, error));
    Some(Program {
        entry: elf.entry(),
        segments,
        symbols,
        is_whole,
    })
}

/// Returns the path of the file with the symbols of `pd`'s program.
pub(crate) fn symbols_path(pd: &ProtectionDomain) -> &Path {
    let image = &pd.program_image;
    image.path_for_symbols.as_ref().unwrap_or(&image.path)
}

/// Makes an error of the program of `pd`, in the file `path`. `span` is the element that names the
/// file.
pub(crate) fn error_in(
    path: &Path,
    pd: &ProtectionDomain,
    span: Span,
    error: ProgramError,
) -> PlanError {
    let is_program = path == pd.program_image.path;
    let what = if is_program {
        "the program"
    } else {
        "the symbol file"
    };
    let (pd, path) = (pd.name.clone(), path.to_owned());
    PlanError::at(
        span,
        PlanErrorKind::Program {
            pd,
            path,
            what,
            error,
        },
    )
}
