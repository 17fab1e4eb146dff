//! Builds images from system files, with Cargo and the kernel's packer.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use microkit_sdf as sdf;
use miette::{Result, miette};
use tempfile::TempDir;

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
use crate::system::NamedSystem;
use crate::system_file::{ProgramImage, SystemFile};
use crate::variant::Variant;
use crate::whereabouts::{Relations, State};

/// Builds systems for one kernel and one profile.
pub(crate) struct Builder<'a> {
    pub(crate) kernel: &'a Kernel,
    pub(crate) project: Option<&'a Project>,
    pub(crate) variant: &'a Variant,
    pub(crate) options: &'a Options,
    /// Whether images are kept in the target directory. If false, each image is deleted after its
    /// run.
    pub(crate) keeps: bool,
}

/// A system with the sources of all its programs.
pub(crate) struct Plan {
    pub(crate) file: Rc<SystemFile>,
    programs: Vec<Program>,
}

/// A packed image, its PDs and its programs.
pub(crate) struct Packed {
    /// The path of the image.
    pub(crate) image: PathBuf,
    /// The PDs of the system.
    pub(crate) pds: Vec<ProtectionDomain>,
    /// The ELF file of each program, by its path in the system file.
    pub(crate) programs: BTreeMap<String, PathBuf>,
    /// Whether the system has a virtual machine. A virtual machine keeps running after its PD has
    /// faulted.
    pub(crate) has_virtual_machine: bool,
    /// The relations between the PDs: parents and channels.
    pub(crate) relations: Relations,
    /// The information for reading thread states from the kernel's memory.
    pub(crate) state: State,
    /// The temporary folder of an image that is not kept. Dropping the field deletes the folder.
    _folder: Option<TempDir>,
}

impl Builder<'_> {
    /// Reads a system file.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read. Errors in the system are reported by [`plan`](Self::plan).
    pub(crate) fn read(&self, system: NamedSystem) -> Result<Rc<SystemFile>> {
        let folders = Folders::new(self.options, &system)?;
        let search_paths = folders.all().cloned().collect();
        SystemFile::read(system, self.facts()?, search_paths).map(Rc::new)
    }

    /// Finds the programs of a system.
    ///
    /// # Errors
    ///
    /// Reports every error in the system file that can be found before the build, and every program
    /// without a source.
    pub(crate) fn plan(&self, file: Rc<SystemFile>) -> Result<Plan> {
        file.before_build()?;
        let folders = Folders::new(self.options, &file.system)?;
        let programs = programs::find(&file, self.project, &folders, self.options)?;
        if self.options.verbose {
            programs
                .iter()
                .for_each(|program| program.print(self.project));
        }
        Ok(Plan { file, programs })
    }

    /// Runs Cargo to build the Rust programs of `plans`.
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

    /// Returns the ELF file of each program of a system, by its path in the system file. Programs
    /// in C are excluded.
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

    /// Packs the image of a system.
    pub(crate) fn pack(&self, plan: &Plan, built: &Built, outputs: &OutputArgs) -> Result<Packed> {
        let system = &plan.file.system;
        let (directory, folder) = self.system_directory(system)?;
        let below = programs::folder_below(&directory, &plan.programs);
        let mut sources: BTreeMap<String, PathBuf> = BTreeMap::new();
        // Copies of the programs. The copies exist as long as the image.
        let mut programs: BTreeMap<String, PathBuf> = BTreeMap::new();
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
            // The packer searches this folder first, so the packer uses this copy and not another
            // file of the same name. The packer opens an absolute path directly.
            if *source != place {
                cargo::copy_program(source, &place)?;
            }
            sources.insert(program.image.path.clone(), source.to_path_buf());
            programs.insert(program.image.path.clone(), place);
        }

        let image = outputs.output.clone();
        let image = image.unwrap_or_else(|| directory.join(format!("{}.img", system.name)));
        let report = outputs
            .report
            .clone()
            .unwrap_or_else(|| directory.join("report.txt"));
        let mut directories = vec![below];
        directories.extend(Folders::new(self.options, system)?.all().cloned());
        let facts = self.facts()?;
        let parsed = &*plan.file.after_build(facts, &directories)?;
        let declared = declared::of_system(parsed, &sources)?;
        let wrong = declared::memory(parsed, &declared.memory, facts);
        if !wrong.findings().is_empty() {
            return Err(wrong.into());
        }
        let request = Request {
            system: &system.path,
            parsed,
            variant: self.variant,
            search_paths: directories,
            image: &image,
            report: &report,
            options: self.options,
        };
        self.kernel.pack(&request)?;
        let pds = parsed.protection_domains.iter().filter_map(|pd| {
            let file = |path: &PathBuf| programs.get(path.to_str()?);
            let image = &pd.program_image;
            let program = file(&image.path)?;
            let symbols = image.path_for_symbols.as_ref().and_then(file);
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
            programs,
            relations: Relations::new(parsed),
            has_virtual_machine: parsed
                .protection_domains
                .iter()
                .any(|pd| pd.virtual_machine.is_some()),
            state: self.kernel.state(self.variant, self.options),
            _folder: folder,
        })
    }

    /// Compiles a program in C.
    ///
    /// Fails if the system file names the program by an absolute path. Only an existing ELF file
    /// can have an absolute path.
    fn compile_c(&self, source: &CProgram, image: &ProgramImage, program: &Path) -> Result<()> {
        if Path::new(&image.path).is_absolute() {
            return Err(miette!(
                help = format!(
                    "write the path relative to the system file's folder, as \
                     `path=\"../c/x.elf\"`; or compile the program yourself, to `{}`",
                    image.path
                ),
                "PD `{}` requires the program `{}`, which does not exist. It could be compiled \
                 from {source}, but not to an absolute path",
                image.pd,
                image.path
            ));
        }
        let sdk = self.kernel.sdk();
        let verbose = self.options.verbose;
        c::compile(source, program, image.target, sdk, self.variant, verbose)
    }

    /// Returns the kernel's limits and devices, for the checks of system files.
    fn facts(&self) -> Result<sdf::KernelConfig> {
        self.kernel.facts(&self.variant.board, &self.variant.config)
    }

    /// Makes the folder for an image and its parts.
    fn system_directory(&self, system: &NamedSystem) -> Result<(PathBuf, Option<TempDir>)> {
        if !self.keeps {
            let folder = tempfile::tempdir()
                .map_err(|e| files::cannot("make a directory in", &std::env::temp_dir(), &e))?;
            return Ok((folder.path().to_path_buf(), Some(folder)));
        }
        let Variant {
            kernel, profile, ..
        } = self.variant;
        let target = self.target_directory()?;
        let place = place_of(system, self.project.map(Project::root), &target);
        let directory = target
            .join("microkit")
            .join(self.variant.kernel_directory(self.kernel.sdk()))
            .join("systems")
            .join(place)
            .join(format!("{}-{kernel}-{profile}", system.name));
        files::make_directory(&directory)?;
        Ok((directory, None))
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

/// Returns a path below the folder of all images in `target`, unique for the system's folder.
///
/// The path is empty for a system in the workspace's `microkit-systems`. For another system in the
/// workspace, the path is the relative path of the system's folder. For all other systems, the
/// path contains a hash of the folder's path. If workspaces share a target folder, the paths of all
/// their systems contain this hash.
fn place_of(system: &NamedSystem, root: Option<&Path>, target: &Path) -> PathBuf {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let folder = real(system.directory());
    let root = root.map(real);
    let root = root.filter(|root| real(target).starts_with(root));
    let inside = root.and_then(|root| {
        if folder == crate::system::directory(&root) {
            return Some(PathBuf::new());
        }
        let path = folder.strip_prefix(&root).ok()?;
        (!path.as_os_str().is_empty()).then(|| path.to_path_buf())
    });
    inside.unwrap_or_else(|| {
        let mut hasher = DefaultHasher::new();
        folder.hash(&mut hasher);
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        PathBuf::from(format!("{name}-{:016x}", hasher.finish()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_of_different_folders_have_different_places() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let root = root.path();
        let place = |file: &str, project: Option<&Path>, target: &Path| {
            let path = root.join(file);
            std::fs::create_dir_all(path.parent().expect("it has one")).expect("the folder");
            std::fs::write(&path, "<system/>").expect("the file");
            let system = NamedSystem::at(&path);
            place_of(&system, project, target)
        };
        let project = root.join("project");
        let target = project.join("target");
        let check = |file: &str, expect: &str| {
            let place = place(&format!("project/{file}"), Some(&project), &target);
            assert_eq!(place, Path::new(expect), "{file}");
        };
        check("microkit-systems/x.system", "");
        check("microkit-systems/more/x.system", "microkit-systems/more");
        check("more/x.system", "more");
        check("a/b/x.system", "a/b");

        let elsewhere = |file, project| place(file, project, &root.join("target"));
        let other = root.join("other");
        let places = [
            elsewhere("one/a/x.system", None),
            elsewhere("two/a/x.system", None),
            elsewhere("project/a/x.system", Some(&*project)),
            elsewhere("other/a/x.system", Some(&*other)),
            place("project/x.system", Some(&project), &target),
        ];
        let distinct: BTreeSet<_> = places.iter().collect();
        assert_eq!(distinct.len(), places.len(), "{places:?}");
        assert!(places[0].to_string_lossy().starts_with("a-"), "{places:?}");
        assert_eq!(elsewhere("one/a/x.system", None), places[0]);
    }
}
