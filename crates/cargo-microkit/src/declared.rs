//! What `check` and `graph` look at: a system as it is parsed, and what its programs declare of
//! their waits.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};

use microkit_check::{Declaration, SECTION};
use microkit_sdf as sdf;
use miette::{Report, Result, miette};
use object::read::File;
use object::{Object, ObjectSection};

use crate::builder::{Builder, Plan, search_paths};
use crate::cli::{DeclaringArgs, Options};
use crate::files;
use crate::kernel::Kernel;
use crate::project::Project;
use crate::system::System;

/// What each program of a system declares, in the order of its protection domains.
pub(crate) type Declarations = Vec<Option<Declaration>>;

/// Reads a system file.
///
/// **Errors:** everything that is wrong with it, each with its line.
pub(crate) fn parse(system: &System, args: &DeclaringArgs) -> Result<sdf::System> {
    let text = fs::read_to_string(&system.path)
        .map_err(|e| files::cannot("read the system file", &system.path, &e))?;
    let files = sdf::SearchPaths(search_paths(&args.options, system));
    let mut kernel = sdf::Kernel::QEMU_VIRT_AARCH64;
    if args.variant.config.starts_with("smp-") {
        // How many cores the board has is for the SDK's tool to say.
        kernel.cores = u8::MAX;
    }
    let options = sdf::Options {
        kernel,
        files: &files,
    };
    let name = system.path.display().to_string();
    Ok(sdf::parse(&name, &text, options)?)
}

/// Builds the programs of the systems, unless they are not to be built, and reads what they declare.
///
/// **Errors:** a program is missing, cannot be built, or has a declaration that is not understood.
pub(crate) fn declarations(
    systems: &[(System, sdf::System)],
    project: Option<&Project>,
    args: &DeclaringArgs,
) -> Result<Vec<Declarations>> {
    if args.no_build || systems.is_empty() {
        return Ok(vec![Declarations::new(); systems.len()]);
    }
    let options = &args.options;
    let kernel = Kernel::choose(options)?;
    let variant = kernel.variant(&args.variant, options)?;
    let builder = Builder {
        kernel: &kernel,
        project,
        variant: &variant,
        options,
    };
    let plans = systems
        .iter()
        .map(|(system, _)| builder.plan(system.clone()));
    let plans: Vec<Plan> = plans.collect::<Result<_>>()?;
    let built = builder.compile(&plans.iter().collect::<Vec<_>>())?;
    let all = systems.iter().zip(&plans);
    let all = all.map(|((_, system), plan)| of_system(system, &builder.elf_files(plan, &built)?));
    all.collect()
}

fn of_system(system: &sdf::System, files: &BTreeMap<String, PathBuf>) -> Result<Declarations> {
    let of_pd = |pd: &sdf::ProtectionDomain| {
        let path = pd.program_image.path.to_str();
        match path.and_then(|path| files.get(path)) {
            Some(file) => declaration(file),
            None => Ok(None),
        }
    };
    system.protection_domains.iter().map(of_pd).collect()
}

/// What the program at `path` declares, if it does.
fn declaration(path: &Path) -> Result<Option<Declaration>> {
    let bytes = fs::read(path).map_err(|e| files::cannot("read the program", path, &e))?;
    read(&bytes).map_err(|error| {
        miette!(
            help = "build it again, by itself; `sel4_microkit::waits!` writes this section",
            "the section `{SECTION}` of the program `{}` cannot be read: {error}",
            path.display()
        )
    })
}

fn read(bytes: &[u8]) -> Result<Option<Declaration>, String> {
    let text = |error: &dyn Display| error.to_string();
    let file = File::parse(bytes).map_err(|e| text(&e))?;
    let Some(section) = file.section_by_name(SECTION) else {
        return Ok(None);
    };
    let data = section.data().map_err(|e| text(&e))?;
    Declaration::from_bytes(data)
        .map(Some)
        .map_err(|e| text(&e))
}

/// Whether the system, if it is to run on the model kernel, has something that this cannot run.
pub(crate) fn refused_by_model(system: &sdf::System, options: &Options) -> Option<Report> {
    let refusals = system.refusals_for_model();
    let is_for_model = options.kernel == crate::cli::Kernel::Model;
    (is_for_model && !refusals.is_empty())
        .then(|| sdf::Report::new(system.source.clone(), refusals).into())
}

#[cfg(test)]
mod tests {
    use object::write::Object;
    use object::{Architecture, BinaryFormat, Endianness, SectionKind};

    use super::*;

    fn elf(section: Option<&[u8]>) -> Vec<u8> {
        let mut object = Object::new(BinaryFormat::Elf, Architecture::Aarch64, Endianness::Little);
        if let Some(bytes) = section {
            let id = object.add_section(vec![], SECTION.into(), SectionKind::Other);
            object.append_section_data(id, bytes, 1);
        }
        object.write().expect("an ELF file")
    }

    #[test]
    fn a_declaration_is_read_from_its_section() {
        assert_eq!(read(&elf(None)), Ok(None));
        let empty = Declaration::parse("version 1\n").expect("a declaration");
        assert_eq!(read(&elf(Some(b"version 1\n"))), Ok(Some(empty)));
        let declared = read(&elf(Some(b"version 1\ncall 1 in init\n"))).expect("it is understood");
        assert_eq!(declared.map(|d| d.statements.len()), Some(1));
    }

    #[test]
    fn what_is_no_declaration_is_an_error() {
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
