//! Finds the system that a name means, and the systems of a command without a name.
//!
//! The rule, which `docs/guide/running.md` also states: a name is searched in the current folder,
//! in its package and at the root of its workspace. Only if these places do not contain the name,
//! the other packages of the workspace are searched. In a package or at a root, system files are
//! beside the `Cargo.toml`, in `microkit-systems`, or in a subfolder of `microkit-systems`.

use std::path::{Path, PathBuf};

use miette::{Report, Result, miette};

use crate::nearest::{advice, quoted};
use crate::project::Project;
use crate::system::{self, NamedSystem};

/// The systems that a name can mean.
pub(crate) struct Catalog {
    /// The systems of the current folder and of its package.
    own: Vec<NamedSystem>,
    /// More systems at the root of the workspace.
    root: Vec<NamedSystem>,
    /// More systems in other packages of the workspace.
    others: Vec<NamedSystem>,
    /// Whether the current folder belongs to the package or manifest at the root.
    is_at_root: bool,
    is_in_project: bool,
}

impl Catalog {
    /// Lists the systems for a current folder. `package` is the folder of the nearest `Cargo.toml`.
    pub(crate) fn new(package: Option<&Path>, project: Option<&Project>) -> Self {
        let package = package.filter(|_| project.is_some());
        let mut own = NamedSystem::in_folder(Path::new(""));
        add(&mut own, &[], package.into_iter().flat_map(beside_manifest));
        let mut root = Vec::new();
        let mut others = Vec::new();
        if let Some(project) = project {
            add(&mut root, &[&own], beside_manifest(project.root()));
            for folder in project.package_folders() {
                add(&mut others, &[&own, &root], beside_manifest(folder));
            }
        }
        Self {
            own,
            root,
            others,
            is_at_root: package.is_some_and(|p| project.is_some_and(|project| p == project.root())),
            is_in_project: project.is_some(),
        }
    }

    /// Resolves `argument` to a system: the system of this name, the file `argument`, or the file
    /// `argument.system`.
    ///
    /// # Errors
    ///
    /// Fails if the system does not exist, or if the name is ambiguous.
    pub(crate) fn find(&self, argument: &str) -> Result<NamedSystem> {
        let near: Vec<_> = self.own.iter().chain(&self.root).collect();
        for place in [near, self.others.iter().collect()] {
            let mut named = place.into_iter().filter(|system| system.name == argument);
            if let Some(system) = named.next() {
                return match named.next() {
                    None => Ok(system.clone()),
                    Some(other) => Err(ambiguous(argument, system, other)),
                };
            }
        }
        let path = Path::new(argument);
        let with_extension = PathBuf::from(format!("{argument}.system"));
        if let Some(file) = [path, &with_extension].into_iter().find(|p| p.is_file()) {
            return Ok(NamedSystem::at(file));
        }
        Err(match path.is_dir() {
            true => is_directory(argument),
            false => self.not_found(argument),
        })
    }

    /// Returns the only system. `command` is a command that needs one system, for the help text.
    ///
    /// # Errors
    ///
    /// Fails unless exactly one system exists.
    pub(crate) fn only(&self, command: &str) -> Result<NamedSystem> {
        match &self.all()?[..] {
            [system] => Ok(system.clone()),
            systems => Err(miette!(
                help = format!(
                    "type `cargo microkit {command} SYSTEM`, where SYSTEM is one of {}",
                    quoted(shortest(systems))
                ),
                "no system is named, and there are {} systems",
                systems.len()
            )),
        }
    }

    /// Returns the systems of a command without a name: the systems of the current folder and its
    /// package. If these have no system, or at the root of a workspace, returns all systems of the
    /// workspace.
    ///
    /// # Errors
    ///
    /// Fails without a system.
    pub(crate) fn all(&self) -> Result<Vec<NamedSystem>> {
        let all = match self.is_at_root || self.own.is_empty() {
            true => self.everything().cloned().collect(),
            false => self.own.clone(),
        };
        if !all.is_empty() {
            return Ok(all);
        }
        Err(match self.is_in_project {
            true => miette!(
                help = "write a system file beside `Cargo.toml` or in `microkit-systems`, or give \
                        the path of a system file",
                "no system is named, and this Cargo project has no system file"
            ),
            false => miette!(
                help = "go to a folder with a system file, or give the path of a system file",
                "no system is named, and the current folder has no system file and is not in a \
                 Cargo project"
            ),
        })
    }

    /// Returns all names, sorted and without duplicates.
    pub(crate) fn names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.everything().map(|system| &*system.name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    fn everything(&self) -> impl Iterator<Item = &NamedSystem> {
        self.own.iter().chain(&self.root).chain(&self.others)
    }

    /// Returns the error for an argument that is neither the name nor the path of a system.
    fn not_found(&self, argument: &str) -> Report {
        let names = self.names();
        if system::is_path(argument) {
            let others = match names.is_empty() {
                true => String::new(),
                false => {
                    let name = system::stem(Path::new(argument));
                    format!(", or name a system; {}", advice(&name, &names))
                }
            };
            return miette!(
                help = format!("check the path{others}"),
                "the system file `{argument}` does not exist"
            );
        }
        let help = match names.is_empty() {
            true => "give the path of a system file, or go to a Cargo project that has systems"
                .to_owned(),
            false => advice(argument, &names),
        };
        match self.is_in_project {
            true => miette!(
                help = help,
                "no system is called `{argument}`: `{argument}.system` is not in this folder, not \
                 beside a `Cargo.toml` of the workspace, and not in `microkit-systems`"
            ),
            false => miette!(
                help = help,
                "no system is called `{argument}`: this folder does not hold `{argument}.system`, \
                 and it is not in a Cargo project"
            ),
        }
    }
}

/// Lists the systems beside a `Cargo.toml`, in `microkit-systems`, and in its subfolders.
fn beside_manifest(folder: &Path) -> impl Iterator<Item = NamedSystem> + use<> {
    let top = system::directory(folder);
    let entries = std::fs::read_dir(&top).into_iter().flatten().flatten();
    let mut subfolders: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    subfolders.sort();
    [folder.to_path_buf(), top]
        .into_iter()
        .chain(subfolders)
        .flat_map(|folder| NamedSystem::in_folder(&folder))
}

/// Adds the systems whose files are not yet listed.
fn add(
    to: &mut Vec<NamedSystem>,
    listed: &[&Vec<NamedSystem>],
    systems: impl Iterator<Item = NamedSystem>,
) {
    for system in systems {
        let mut others = listed.iter().copied().flatten().chain(&*to);
        // Compares names first, because the comparison of files reads the file system.
        if !others.any(|other| other.name == system.name && other.is_same_file(&system)) {
            to.push(system);
        }
    }
}

/// Returns the argument for each system, sorted: its name, or its path if several systems have this
/// name.
fn shortest(systems: &[NamedSystem]) -> Vec<String> {
    let is_unique = |name: &str| systems.iter().filter(|s| s.name == name).count() == 1;
    let arguments = systems.iter().map(|system| match is_unique(&system.name) {
        true => system.name.clone(),
        false => path_of(system),
    });
    let mut arguments: Vec<_> = arguments.collect();
    arguments.sort();
    arguments
}

/// Returns the path of a system file, in a form that is not a name.
fn path_of(system: &NamedSystem) -> String {
    match system.path.parent() {
        Some(folder) if folder == Path::new("") => format!("./{}", system.path.display()),
        _ => system.path.display().to_string(),
    }
}

fn ambiguous(name: &str, first: &NamedSystem, second: &NamedSystem) -> Report {
    let [first, second] = [first, second].map(path_of);
    miette!(
        help = format!("give the path: `{first}` or `{second}`"),
        "two systems are called `{name}`: `{first}` and `{second}`"
    )
}

fn is_directory(argument: &str) -> Report {
    let files = NamedSystem::in_folder(Path::new(argument));
    let files = quoted(files.iter().map(|system| system.path.to_string_lossy()));
    miette!(
        help = match files.is_empty() {
            true => "give the path of a system file".to_owned(),
            false => format!("name a file in it: {files}"),
        },
        "`{argument}` is a directory, not a system file"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_with_the_same_name_are_listed_by_their_paths() {
        let systems = ["b/x.system", "x.system", "a/y.system"];
        let systems = systems.map(|path| NamedSystem::at(Path::new(path)));
        assert_eq!(shortest(&systems), ["./x.system", "b/x.system", "y"]);
    }
}
