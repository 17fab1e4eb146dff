//! From system files to images, by way of Cargo and the kernel's packer.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use miette::{Result, miette};

use crate::c;
use crate::c_program::CProgram;
use crate::cargo::{self, Built};
use crate::cli::{Options, OutputArgs};
use crate::declared;
use crate::elf;
use crate::files;
use crate::kernel::{Kernel, Request};
use crate::pds::ProtectionDomain;
use crate::programs::{self, Folders, Program, Source};
use crate::project::Project;
use crate::system::System;
use crate::system_file::{ProgramImage, SystemFile};
use crate::variant::Variant;

/// Builds systems for one kernel and one profile.
pub(crate) struct Builder<'a> {
    pub(crate) kernel: &'a Kernel,
    pub(crate) project: Option<&'a Project>,
    pub(crate) variant: &'a Variant,
    pub(crate) options: &'a Options,
}

/// A system whose programs have all been found.
pub(crate) struct Plan {
    file: SystemFile,
    programs: Vec<Program>,
}

/// A system that was packed.
pub(crate) struct Packed {
    /// Where the image lies.
    pub(crate) image: PathBuf,
    /// What runs in it.
    pub(crate) pds: Vec<ProtectionDomain>,
    /// The ELF file of each program, by its path in the system file.
    pub(crate) programs: BTreeMap<String, PathBuf>,
}

impl Builder<'_> {
    /// Finds the programs of a system.
    pub(crate) fn plan(&self, system: System) -> Result<Plan> {
        let file = SystemFile::read(system)?;
        let folders = Folders::of(self.options, &file.system);
        let programs = programs::find(&file, self.project, &folders)?;
        if self.options.verbose {
            programs
                .iter()
                .for_each(|program| program.print(self.project));
        }
        Ok(Plan { file, programs })
    }

    /// Builds those programs of `plans` that Cargo builds.
    pub(crate) fn compile(&self, plans: &[&Plan]) -> Result<Built> {
        let Some(project) = self.project else {
            return Ok(Built::nothing());
        };
        let sources = plans
            .iter()
            .flat_map(|plan| &plan.programs)
            .map(|program| &program.source);
        let wanted: BTreeSet<_> = sources
            .filter_map(|source| match source {
                Source::Bin(wanted) => Some(wanted.clone()),
                Source::File(_) | Source::C(_) => None,
            })
            .collect();
        cargo::build(
            project,
            &wanted,
            self.kernel.sdk(),
            self.variant,
            self.options,
        )
    }

    /// The ELF file of each program of a system, by its path in the system file, without those in C.
    pub(crate) fn elf_files(
        &self,
        plan: &Plan,
        built: &Built,
    ) -> Result<BTreeMap<String, PathBuf>> {
        let mut files = BTreeMap::new();
        for program in &plan.programs {
            let file = match &program.source {
                Source::Bin(wanted) => built.file(wanted)?.to_path_buf(),
                Source::File(file) => file.clone(),
                Source::C(_) => continue,
            };
            elf::check(&file, self.variant)?;
            files.insert(program.image.path.clone(), file);
        }
        Ok(files)
    }

    /// Makes the image of a system.
    pub(crate) fn pack(&self, plan: &Plan, built: &Built, outputs: &OutputArgs) -> Result<Packed> {
        let system = &plan.file.system;
        let directory = self.system_directory(system)?;
        files::make_directory(&directory)?;
        let below = programs::folder_below(&directory, &plan.programs);
        let mut sources: BTreeMap<String, PathBuf> = BTreeMap::new();
        for program in &plan.programs {
            let place = below.join(&program.image.path);
            files::make_directory(place.parent().unwrap_or(&below))?;
            let source = match &program.source {
                Source::Bin(wanted) => built.file(wanted)?,
                Source::File(file) => file,
                Source::C(c) => {
                    self.compile_c(c, &program.image, &place)?;
                    &place
                }
            };
            elf::check(source, self.variant)?;
            // The packer finds it there before it finds anything else of that name. What an absolute
            // path names, it takes from there.
            if *source != place {
                files::place(source, &place)?;
            }
            sources.insert(program.image.path.clone(), source.to_path_buf());
        }

        let image = outputs.output.clone();
        let image = image.unwrap_or_else(|| directory.join(format!("{}.img", system.name)));
        let report = outputs
            .report
            .clone()
            .unwrap_or_else(|| directory.join("report.txt"));
        let mut directories = vec![below];
        directories.extend(Folders::of(self.options, system).all().cloned());
        let parsed = declared::parse_file(&system.path, directories.clone(), &self.variant.config)?;
        let declared = declared::of_system(&parsed, &sources)?;
        let wrong = declared::memory(&parsed, &declared.memory, &self.variant.config);
        if !wrong.findings().is_empty() {
            return Err(wrong.into());
        }
        let request = Request {
            system: &system.path,
            parsed: &parsed,
            variant: self.variant,
            search_paths: directories,
            image: &image,
            report: &report,
            verbose: self.options.verbose,
        };
        self.kernel.pack(&request)?;
        let pds = plan.file.pds.iter().filter_map(|pd| {
            let program = sources.get(&pd.program)?;
            let symbols = pd.symbols.as_ref().and_then(|path| sources.get(path));
            Some(ProtectionDomain {
                name: pd.name.clone(),
                program: program.clone(),
                symbols: symbols.unwrap_or(program).clone(),
                stack_bytes: pd.stack_bytes,
            })
        });
        let pds = pds.collect();
        Ok(Packed {
            image,
            pds,
            programs: sources,
        })
    }

    /// Compiles a program in C.
    ///
    /// **Errors:** the system file has an absolute path for it, where only a program that is there
    /// already can be.
    fn compile_c(&self, source: &CProgram, image: &ProgramImage, program: &Path) -> Result<()> {
        if Path::new(&image.path).is_absolute() {
            return Err(miette!(
                help = format!(
                    "write the path from the system file's folder on, as `path=\"../c/x.elf\"`; or \
                     compile the program yourself, to `{}`",
                    image.path
                ),
                "PD `{}` wants the program `{}`, which is not there. It could be compiled from \
                 {source}, but not to an absolute path",
                image.pd,
                image.path
            ));
        }
        let sdk = self.kernel.sdk();
        let verbose = self.options.verbose;
        c::compile(source, program, image.target, sdk, self.variant, verbose)
    }

    fn system_directory(&self, system: &System) -> Result<PathBuf> {
        let Variant {
            kernel, profile, ..
        } = self.variant;
        Ok(self
            .target_directory()?
            .join("microkit")
            .join(self.variant.kernel_directory())
            .join("systems")
            .join(format!("{}-{kernel}-{profile}", system.name)))
    }

    fn target_directory(&self) -> Result<PathBuf> {
        match self.project {
            Some(project) => Ok(project.target_directory().to_path_buf()),
            None => {
                let target = std::env::var_os("CARGO_TARGET_DIR").filter(|value| !value.is_empty());
                let target = target.unwrap_or_else(|| "target".into());
                std::path::absolute(&target)
                    .map_err(|e| files::cannot("find", Path::new(&target), &e))
            }
        }
    }
}
