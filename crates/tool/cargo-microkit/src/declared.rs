//! Reads the declarations in the ELF files of a system's programs. `check` and `graph` use the
//! declared waits. Every command with access to the programs compares the system file with the
//! declared use of memory.

mod memory_use;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use microkit_check::{Declaration, MemoryUse, RESTART_SECTION, SECTION};
use microkit_sdf as sdf;
use miette::{Report, Result, miette};
use object::read::File;
use object::{Object, ObjectSection};

use crate::builder::{Builder, Plan};
use crate::cli::{DeclaringArgs, Options};
use crate::elf;
use crate::files;
use crate::kernel::Kernel;
use crate::layout;
use crate::programs::{self, Folders};
use crate::project::Project;
use crate::system::NamedSystem;
use crate::system_file::SystemFile;
use crate::terminal;

/// The declarations of a system's programs, in the order of its protection domains. The lists are
/// empty if the programs were not built.
#[derive(Default)]
pub(crate) struct Declared {
    /// The waits that the programs declare.
    pub(crate) waits: Vec<Option<Declaration>>,
    /// The memory regions that the programs expect.
    pub(crate) memory: Vec<Option<MemoryUse>>,
    /// Whether the programs reply after a restart.
    pub(crate) replies: Vec<Option<bool>>,
}

/// Reads a system file.
///
/// # Errors
///
/// Fails if the file cannot be read. Reports every error in the file with its line.
pub(crate) fn read_system(system: NamedSystem, args: &DeclaringArgs) -> Result<Rc<SystemFile>> {
    let folders = Folders::new(&args.options, &system)?;
    let file = SystemFile::read(system, kernel(args)?, folders.all().cloned().collect())?;
    file.parsed()?;
    Ok(Rc::new(file))
}

/// Shows warnings about parts of the system file that the SDK's tool silently ignores. Returns the
/// number of warnings.
pub(crate) fn show_warnings(system: &sdf::System) -> usize {
    let (source, warnings) = (system.source.clone(), system.warnings.clone());
    let report = sdf::Report::new(source, warnings).grouped();
    let count = report.findings().len();
    if count > 0 {
        terminal::error(&report.into());
    }
    count
}

/// Returns the kernel's limits and devices, for the checks of system files.
pub(crate) fn kernel(args: &DeclaringArgs) -> Result<sdf::KernelConfig> {
    Kernel::choose(&args.options)?.facts(&args.options.board, &args.variant.config)
}

/// Reports each mapping in the system file that differs from a program's expectation.
pub(crate) fn memory(
    system: &sdf::System,
    uses: &[Option<MemoryUse>],
    kernel: sdf::KernelConfig,
) -> microkit_check::Report {
    microkit_check::memory(system, uses, kernel.user_top)
}

/// Reads the declarations of the systems' programs. Builds the programs first, or finds the
/// programs in the folders of `--elf`. With `--no-build`, returns no declarations.
///
/// # Errors
///
/// Fails if a program is missing, cannot be built, or has a declaration that cannot be parsed.
pub(crate) fn declarations(
    systems: &[Rc<SystemFile>],
    project: Option<&Project>,
    args: &DeclaringArgs,
) -> Result<Vec<Declared>> {
    if !args.elf.is_empty() {
        let all = systems.iter().map(|file| {
            let parsed = file.parsed()?;
            let files = elf_files_below(&args.elf, &file.system, parsed)?;
            if args.options.verbose {
                let files = files.iter();
                files.for_each(|(path, file)| programs::print_file(path, file));
            }
            files.values().try_for_each(|file| elf::check_file(file))?;
            let facts = kernel(args)?;
            layout::check(parsed, &args.options.board, &args.elf, &facts)?;
            of_system(parsed, &files)
        });
        return all.collect();
    }
    if args.no_build || systems.is_empty() {
        return Ok(systems.iter().map(|_| Declared::default()).collect());
    }
    let options = &args.options;
    let kernel = Kernel::choose(options)?;
    let variant = kernel.variant(&args.variant, options)?;
    let builder = Builder {
        kernel: &kernel,
        project,
        variant: &variant,
        options,
        keeps: false,
    };
    let plans = systems.iter().map(|file| builder.plan(Rc::clone(file)));
    let plans: Vec<Plan> = plans.collect::<Result<_>>()?;
    let built = builder.compile(&plans.iter().collect::<Vec<_>>())?;
    let all = systems.iter().zip(&plans);
    let all = all.map(|(file, plan)| of_system(file.parsed()?, &builder.elf_files(plan, &built)?));
    all.collect()
}

/// Finds the program of each protection domain, in the first of `directories` that contains the
/// program.
fn elf_files_below(
    directories: &[PathBuf],
    system: &NamedSystem,
    parsed: &sdf::System,
) -> Result<BTreeMap<String, PathBuf>> {
    let search_paths = sdf::SearchPaths(directories.to_vec());
    let mut files = BTreeMap::new();
    for pd in &parsed.protection_domains {
        let image = &pd.program_image;
        for path in [Some(&image.path), image.path_for_symbols.as_ref()]
            .into_iter()
            .flatten()
        {
            let Some(file) = search_paths.find(path) else {
                return Err(miette!(
                    help = "set `--elf` to the folder that the program is built into",
                    "`{}`: the program `{}` of PD `{}` was not found",
                    system.path.display(),
                    path.display(),
                    pd.name
                ));
            };
            files.insert(path.to_string_lossy().into_owned(), file);
        }
    }
    Ok(files)
}

/// Returns the declarations of the programs of `system`. `files` contains their ELF files by the
/// paths in the system file.
pub(crate) fn of_system(
    system: &sdf::System,
    files: &BTreeMap<String, PathBuf>,
) -> Result<Declared> {
    let mut declared = Declared::default();
    for pd in &system.protection_domains {
        let file = |path: &Path| path.to_str().and_then(|path| files.get(path));
        let image = &pd.program_image;
        let (mut waits, mut memory, mut replies) = (None, None, None);
        if let Some(program) = file(&image.path) {
            let named = image.path_for_symbols.as_deref();
            let symbols = named.and_then(file);
            if let (Some(named), Some(symbols)) = (named, symbols)
                && !elf::has_symbols_of(symbols, program)
            {
                return Err(miette!(
                    help = "name the file that the program was made from, before it was stripped",
                    "PD `{1}`: the file `{0}` of `path_for_symbols` does not belong to the program \
                     `{2}`",
                    named.display(),
                    pd.name,
                    image.path.display()
                ));
            }
            let symbols = symbols.unwrap_or(program);
            (waits, replies) = declarations_of(program)?;
            memory = memory_use::read(program, symbols)
                .map_err(|wrong| wrong.report(&pd.name, image))?;
        }
        declared.waits.push(waits);
        declared.memory.push(memory);
        declared.replies.push(replies);
    }
    Ok(declared)
}

/// Reads the declared waits of the program at `path`, if any. Also reads whether the program
/// replies after a restart.
fn declarations_of(path: &Path) -> Result<(Option<Declaration>, Option<bool>)> {
    let bytes = fs::read(path).map_err(|e| files::cannot("read the program", path, &e))?;
    read(&bytes).map_err(|error| {
        miette!(
            help = "rebuild it; only `sel4_microkit::waits!` may write this section",
            "the section `{SECTION}` of the program `{}` cannot be read: {error}",
            path.display()
        )
    })
}

fn read(bytes: &[u8]) -> Result<(Option<Declaration>, Option<bool>), String> {
    let text = |error: &dyn Display| error.to_string();
    let file = File::parse(bytes).map_err(|e| text(&e))?;
    // Without section headers, it is unknown whether the program replies.
    let has_sections = file.sections().next().is_some();
    let replies = has_sections.then(|| file.section_by_name(RESTART_SECTION).is_some());
    let Some(section) = file.section_by_name(SECTION) else {
        return Ok((None, replies));
    };
    let data = section.data().map_err(|e| text(&e))?;
    let waits = Declaration::from_bytes(data).map_err(|e| text(&e))?;
    Ok((Some(waits), replies))
}

/// Reports the parts of the system that the model kernel cannot run, if `--kernel model` is given.
pub(crate) fn refused_by_model(system: &sdf::System, options: &Options) -> Option<Report> {
    let refusals = system.refusals_for_model();
    let is_for_model = options.kernel == crate::cli::KernelArg::Model;
    (is_for_model && !refusals.is_empty())
        .then(|| sdf::Report::new(system.source.clone(), refusals).into())
}

#[cfg(test)]
mod tests {
    use object::write::Object;
    use object::{Architecture, BinaryFormat, Endianness, SectionKind};

    use super::*;

    fn elf(section: Option<&[u8]>) -> Vec<u8> {
        let section = section.map(|bytes| (SECTION, bytes));
        elf_with(&section.into_iter().collect::<Vec<_>>())
    }

    fn elf_with(sections: &[(&str, &[u8])]) -> Vec<u8> {
        let mut object = Object::new(BinaryFormat::Elf, Architecture::Aarch64, Endianness::Little);
        for (name, bytes) in sections {
            let id = object.add_section(vec![], (*name).into(), SectionKind::Other);
            object.append_section_data(id, bytes, 1);
        }
        object.write().expect("an ELF file")
    }

    #[test]
    fn a_program_replies_after_a_restart_if_it_has_the_section() {
        let check = |sections: &[(&str, &[u8])], expect| {
            let replies = read(&elf_with(sections)).map(|(_, replies)| replies);
            assert_eq!(replies, Ok(expect));
        };
        check(&[(".text", b"")], Some(false));
        check(&[(RESTART_SECTION, b"reply 6\n")], Some(true));
    }

    #[test]
    fn a_declaration_is_read_from_its_section() {
        let waits = |section| read(&elf(section)).map(|(waits, _)| waits);
        assert_eq!(waits(None), Ok(None));
        let empty = Declaration::parse("version 1\n").expect("a declaration");
        assert_eq!(waits(Some(b"version 1\n")), Ok(Some(empty)));
        let declared = waits(Some(b"version 1\ncall 1 in init\n")).expect("it is understood");
        assert_eq!(declared.map(|d| d.statements.len()), Some(1));
    }

    #[test]
    fn an_invalid_declaration_is_an_error() {
        for wrong in [
            &b""[..],
            b"version 2\n",
            b"\xff\xff",
            b"version 1\njump 3 in init\n",
        ] {
            assert!(read(&elf(Some(wrong))).is_err(), "{wrong:?}");
        }
        assert!(read(b"no program").is_err());
    }
}
