//! Finds the source of each program of a system: a binary of the workspace or of a dependency, an
//! ELF file, or C sources.

mod advice;

use std::path::{Component, Path, PathBuf};

use cargo_metadata::{DependencyKind, Package};
use miette::{Result, miette};

use crate::c_program::CProgram;
use crate::cargo::Wanted;
use crate::cli::Options;
use crate::dependencies::{self, Found};
use crate::project::Project;
use crate::system::NamedSystem;
use crate::system_file::{ProgramImage, SystemFile};
use crate::terminal;

/// A program image and its source.
#[derive(Debug)]
pub(crate) struct Program {
    /// The image that the system file names.
    pub(crate) image: ProgramImage,
    /// The source of the program.
    pub(crate) source: Source,
}

/// The source of a program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A binary that Cargo builds.
    Bin(Wanted),
    /// An existing ELF file.
    File(PathBuf),
    /// A program to compile from C.
    C(CProgram),
}

impl Program {
    /// Prints the source of the program.
    pub(crate) fn print(&self, project: Option<&Project>) {
        let path = &self.image.path;
        match &self.source {
            Source::Bin((_, bin)) => {
                let place = match project.and_then(|project| project.dependency(bin)) {
                    Some(dependency) => format!("the dependency {dependency}"),
                    None => {
                        let folder = project.and_then(|project| project.folder(bin));
                        format!("`{}`", folder.unwrap_or(Path::new("?")).display())
                    }
                };
                terminal::status(
                    "Program",
                    format_args!("`{path}`: the binary `{}` of {place}", bin.name),
                );
            }
            Source::File(file) => print_file(path, file),
            Source::C(c) => {
                terminal::status("Program", format_args!("`{path}`: compiled from {c}"));
            }
        }
    }
}

/// Returns a folder below `directory` for an image's programs, by their paths in the system file.
/// The folder is deep enough that no `..` in these paths leads out of `directory`.
pub(crate) fn folder_below(directory: &Path, programs: &[Program]) -> PathBuf {
    let ascents = programs.iter().map(|program| ascent(&program.image.path));
    let ascent = ascents.max().unwrap_or_default();
    let mut folder = directory.to_path_buf();
    folder.extend(std::iter::repeat_n("below", ascent));
    folder
}

/// Returns the number of levels that a path goes up from its base folder.
fn ascent(path: &str) -> usize {
    let (mut depth, mut ascent) = (0, 0);
    for component in Path::new(path).components() {
        match component {
            Component::ParentDir if depth == 0 => ascent += 1,
            Component::ParentDir => depth -= 1,
            Component::Normal(_) => depth += 1,
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    ascent
}

/// Prints the resolved file of the program `path` in a system file.
pub(crate) fn print_file(path: &str, file: &Path) {
    terminal::status(
        "Program",
        format_args!("`{path}`: the file `{}`", file.display()),
    );
}

/// The folders to search for program files, without duplicates.
#[derive(Debug)]
pub(crate) struct Folders {
    /// The folders of `--search-path`. These folders are searched before the binaries of the
    /// project.
    named: Vec<PathBuf>,
    /// The system file's folder and the current folder. These folders are searched after the
    /// binaries.
    near: Vec<PathBuf>,
}

impl Folders {
    /// Returns the folders for a system, including the folders of `--search-path`.
    ///
    /// # Errors
    ///
    /// Fails if a path given by `--search-path` is not a folder.
    pub(crate) fn new(options: &Options, system: &NamedSystem) -> Result<Self> {
        if let Some(path) = options.search_paths.iter().find(|path| !path.is_dir()) {
            let what = match path.exists() {
                true => "is not a folder",
                false => "does not exist",
            };
            return Err(miette!(
                help = "name the folder that the programs are in",
                "`--search-path {}`: the path {what}",
                path.display()
            ));
        }
        let mut all = Vec::new();
        let mut new = |path: &Path| {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
            let is_new = !all.contains(&path);
            all.push(path.clone());
            is_new.then_some(path)
        };
        Ok(Self {
            named: options
                .search_paths
                .iter()
                .filter_map(|path| new(path))
                .collect(),
            near: [system.directory(), Path::new(".")]
                .into_iter()
                .filter_map(new)
                .collect(),
        })
    }

    /// Returns all folders, in search order.
    pub(crate) fn all(&self) -> impl Iterator<Item = &PathBuf> {
        self.named.iter().chain(&self.near)
    }
}

/// The packages of a project whose dependencies are searched for programs.
#[derive(Clone, Copy)]
struct Dependents<'a> {
    project: &'a Project,
    packages: &'a [&'a Package],
    /// The features of `--features`.
    features: &'a [String],
}

/// Finds every program of a system, in the search order of `docs/guide/programs.md`.
///
/// # Errors
///
/// Reports every program that was not found.
pub(crate) fn find(
    file: &SystemFile,
    project: Option<&Project>,
    folders: &Folders,
    options: &Options,
) -> Result<Vec<Program>> {
    let packages = project.map(|project| project.packages_around(file.system.directory()));
    let packages = packages.unwrap_or_default();
    let dependents = project.map(|project| Dependents {
        project,
        packages: &packages,
        features: &options.features,
    });
    let mut programs = Vec::new();
    let mut missing = Vec::new();
    for image in &file.images {
        match source(image, dependents, folders)? {
            Some(source) => programs.push(Program {
                image: image.clone(),
                source,
            }),
            None => missing.push(image),
        }
    }
    if missing.is_empty() {
        return Ok(programs);
    }

    let wanted = |image: &&ProgramImage| format!("`{}` of PD `{}`", image.path, image.pd);
    let wanted = missing.iter().map(wanted).collect::<Vec<_>>().join(", ");
    let binaries = match project {
        Some(project) => format!(
            "a binary (or a program in C that a Cargo.toml lists) of the Cargo project `{}` and of \
             the dependencies of {}",
            project.root().display(),
            dependencies::names(&packages)
        ),
        None => "a binary of a Cargo project (the current folder is not in one)".to_owned(),
    };
    let searched = folders
        .all()
        .map(|d| format!("\n  `{}`", d.display()))
        .collect::<String>();
    let report = miette!(
        help = help(&missing[0].path, dependents),
        "the system file `{}` requires {wanted}, which was not found; searched for {binaries}, \
         and for a file in{searched}",
        file.system.path.display()
    );
    Err(file.show(&missing, &report))
}

fn source(
    image: &ProgramImage,
    dependents: Option<Dependents<'_>>,
    folders: &Folders,
) -> Result<Option<Source>> {
    let path = image.path.as_str();
    if let Some(named) = below(&folders.named, path)? {
        return Ok(Some(named));
    }
    if let Some(dependents) = dependents.filter(|_| is_plain(path)) {
        if let Some(source) = in_project(image, dependents.project)? {
            return Ok(Some(source));
        }
        if let Some(source) = in_dependencies(image, dependents)? {
            return Ok(Some(source));
        }
    }
    below(&folders.near, path)
}

/// Returns the program in the first of `folders` that contains the program.
fn below(folders: &[PathBuf], path: &str) -> Result<Option<Source>> {
    for folder in folders {
        // Joining an absolute path returns the absolute path itself.
        let file = folder.join(path);
        if file.is_file() {
            return Ok(Some(Source::File(file)));
        }
        if let Some(program) = CProgram::at(&file)? {
            return Ok(Some(Source::C(program)));
        }
    }
    Ok(None)
}

/// Finds a binary of the project, or a C program that a table in one of its manifests describes.
///
/// Fails if more than one source matches.
fn in_project(image: &ProgramImage, project: &Project) -> Result<Option<Source>> {
    let name = stem(&image.path);
    let bin = project.bin(&name)?;
    match (bin, project.c_table(&name)?) {
        (None, None) => Ok(None),
        (Some(bin), None) => Ok(Some(Source::Bin((image.target, bin)))),
        (None, Some(table)) => CProgram::from_table(&table).map(Source::C).map(Some),
        (Some(_), Some(table)) => Err(miette!(
            help = "rename one of them",
            "the program `{}` could be the binary `{name}`, or the C program that the table \
             `[{}]` of `{}` describes",
            image.path,
            table.name,
            table.manifest.display()
        )),
    }
}

/// Finds a binary or a C program of a direct dependency.
///
/// Fails if more than one source matches, or if Cargo cannot resolve the dependencies.
fn in_dependencies(image: &ProgramImage, dependents: Dependents<'_>) -> Result<Option<Source>> {
    // Cargo resolves dependencies only if there are any, because it may need the network.
    let mut lines = dependents.packages.iter().flat_map(|p| &p.dependencies);
    if lines.all(|line| line.kind != DependencyKind::Normal) {
        return Ok(None);
    }
    let dependencies = dependents.project.dependencies(dependents.features)?;
    match dependencies.find(&stem(&image.path), dependents.packages)? {
        None => Ok(None),
        Some(Found::Bin(bin)) => Ok(Some(Source::Bin((image.target, bin)))),
        Some(Found::C(table)) => CProgram::from_table(&table).map(Source::C).map(Some),
    }
}

/// Returns what to do about a missing program.
fn help(path: &str, dependents: Option<Dependents<'_>>) -> String {
    let name = stem(path);
    let meant = dependents
        .and_then(|dependents| advice::on_missing(&name, dependents.project, dependents.packages))
        .map(|advice| format!("{advice} Otherwise "))
        .unwrap_or_default();
    format!(
        "{meant}create the program with `cargo new {name}`, or write it in C as `{name}.c`, or \
         name the folder of its ELF file with `--search-path DIR`"
    )
}

fn is_plain(path: &str) -> bool {
    Path::new(path)
        .components()
        .all(|c| matches!(c, Component::Normal(_) | Component::CurDir))
}

fn stem(path: &str) -> String {
    Path::new(path)
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(path: &str) -> ProgramImage {
        let text = format!(
            "<system><protection_domain><program_image path='{path}' /></protection_domain></system>"
        );
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("a.system");
        std::fs::write(&file, text).expect("the file");
        let system = NamedSystem::at(&file);
        SystemFile::images_of(&system).expect("it is UTF-8")[0].clone()
    }

    #[test]
    fn files_are_found_in_the_order_of_the_folders() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let [first, second] = ["first", "second"].map(|name| root.path().join(name));
        for directory in [&first, &second] {
            std::fs::create_dir_all(directory.join("sub")).expect("the directory");
        }
        let file = |path: PathBuf| {
            std::fs::write(&path, "").expect("the file");
            Some(Source::File(path))
        };
        let (a, b) = (file(first.join("a.elf")), file(second.join("sub/b.elf")));
        file(second.join("a.elf"));

        let folders = Folders {
            named: vec![first.clone()],
            near: vec![second.clone()],
        };
        let check = |path: &str, expect: &Option<Source>| {
            assert_eq!(
                &source(&image(path), None, &folders).expect("no project"),
                expect,
                "{path}"
            );
        };
        check("a.elf", &a);
        check("sub/b.elf", &b);
        check("b.elf", &None);
        check("sub", &None);
        std::fs::write(first.join("c.c"), "").expect("the file");
        std::fs::write(first.join("a.c"), "").expect("the file");
        let c = CProgram {
            sources: vec![first.join("c.c")],
            ..CProgram::default()
        };
        let c = Some(Source::C(c));
        check("c.elf", &c);
        check("a.elf", &a);
        check(first.join("a.elf").to_str().expect("UTF-8"), &a);
        // A source in an earlier folder takes precedence over an ELF file in a later folder.
        file(second.join("c.elf"));
        check("c.elf", &c);
    }

    #[test]
    fn an_ascent_is_how_many_levels_a_path_goes_up() {
        let check = |path, expect| assert_eq!(ascent(path), expect, "{path}");
        check("ping.elf", 0);
        check("./sub/ping.elf", 0);
        check("sub/../ping.elf", 0);
        check("../lib/ping.elf", 1);
        check("sub/../../../lib/../ping.elf", 2);
        check("/abs/ping.elf", 0);
    }

    #[test]
    fn only_plain_paths_name_binaries() {
        let check = |path, expect| assert_eq!(is_plain(path), expect, "{path}");
        check("ping.elf", true);
        check("sub/ping.elf", true);
        check("./ping.elf", true);
        check("../ping.elf", false);
        check("/abs/ping.elf", false);
    }
}
