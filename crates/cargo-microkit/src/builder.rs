//! From system files to images, by way of Cargo and the kernel's packer.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use microkit_sdf as sdf;
use miette::Result;

use crate::c;
use crate::cargo::{self, Built};
use crate::cli::{Options, OutputArgs};
use crate::declared;
use crate::elf;
use crate::files;
use crate::kernel::{Kernel, Request};
use crate::pds::ProtectionDomain;
use crate::programs::{self, Program, Source};
use crate::project::Project;
use crate::system::System;
use crate::system_file::SystemFile;
use crate::target::Target;
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
    /// What the file says, if that does not depend on what is built.
    pub(crate) parsed: Option<sdf::System>,
    programs: Vec<Program>,
}

/// A system that was packed.
pub(crate) struct Packed {
    /// Where the image lies.
    pub(crate) image: PathBuf,
    /// What runs in it.
    pub(crate) pds: Vec<ProtectionDomain>,
}

impl Builder<'_> {
    /// Reads a system, and finds its programs.
    ///
    /// **Errors:** all that can be said before anything is built.
    pub(crate) fn plan(&self, system: System) -> Result<Plan> {
        let file = SystemFile::read(system)?;
        let search_paths = search_paths(self.options, &file.system);
        let parsed = declared::parse_before_build(&file, search_paths.clone(), self.variant)?;
        let programs = programs::find(&file, self.project, &search_paths)?;
        Ok(Plan {
            file,
            parsed,
            programs,
        })
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
        let mut sources: BTreeMap<String, PathBuf> = BTreeMap::new();
        for program in &plan.programs {
            let compiled;
            let source = match &program.source {
                Source::Bin(wanted) => built.file(wanted)?,
                Source::File(file) => file,
                Source::C(file) => {
                    compiled = self.compile_c(file, program.image.target, &directory)?;
                    &compiled
                }
            };
            elf::check(source, self.variant)?;
            sources.insert(program.image.path.clone(), source.to_path_buf());
            if program.is_below_search_path() {
                let place = directory.join(&program.image.path);
                files::make_directory(place.parent().unwrap_or(&directory))?;
                files::place(source, &place)?;
            }
        }

        let image = outputs.output.clone();
        let image = image.unwrap_or_else(|| directory.join(format!("{}.img", system.name)));
        let report = outputs
            .report
            .clone()
            .unwrap_or_else(|| directory.join("report.txt"));
        let mut directories = vec![directory];
        directories.extend(search_paths(self.options, system));
        let parsed = declared::parse_file(&system.path, directories.clone(), self.variant)?;
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
        let pds = plan
            .file
            .pds
            .iter()
            .filter_map(|(name, path, stack_bytes)| {
                Some(ProtectionDomain {
                    name: name.clone(),
                    program: sources.get(path)?.clone(),
                    stack_bytes: *stack_bytes,
                })
            });
        let pds = pds.collect();
        Ok(Packed { image, pds })
    }

    /// Compiles a program in C, and returns where it lies.
    fn compile_c(&self, file: &Path, target: Target, directory: &Path) -> Result<PathBuf> {
        let directory = directory.join("c");
        files::make_directory(&directory)?;
        let program = directory.join(file.with_extension("elf").file_name().unwrap_or_default());
        let sdk = self.kernel.sdk();
        let verbose = self.options.verbose;
        c::compile(file, &program, target, sdk, self.variant, verbose)?;
        Ok(program)
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

/// Where files that Cargo does not build are looked for, each place once.
pub(crate) fn search_paths(options: &Options, system: &System) -> Vec<PathBuf> {
    let others = [system.directory(), Path::new(".")];
    let named = options.search_paths.iter().map(PathBuf::as_path);
    let mut paths = Vec::new();
    for path in named.chain(others) {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    paths
}
