//! Resolves system arguments to systems, and finds the project with the programs of each system.

use std::cell::OnceCell;
use std::fs;
use std::path::Path;
use std::rc::Rc;

use miette::Result;

use crate::catalog::Catalog;
use crate::command::{current_directory, project_here};
use crate::files;
use crate::project::{Project, nearest_manifest};
use crate::system::NamedSystem;

/// Systems whose programs are in one project.
pub(super) struct OfProject {
    pub(super) systems: Vec<NamedSystem>,
    pub(super) project: Option<Rc<Project>>,
}

/// A system, and the project of its programs.
pub(super) type Found = (NamedSystem, Option<Rc<Project>>);

/// Finds the system that an argument names, or else the only system. `command` is the subcommand.
pub(super) fn find_system(argument: Option<&str>, command: &str) -> Result<Found> {
    let finder = Finder::default();
    match argument {
        Some(argument) => finder.find(argument),
        None => finder.only(command),
    }
}

/// Finds the systems of a command without a system argument.
pub(super) fn all_systems() -> Result<Vec<OfProject>> {
    let finder = Finder::default();
    let found = finder.catalog()?.all()?.into_iter().map(|system| {
        let project = finder.project_of(&system)?;
        Ok((system, project))
    });
    Ok(grouped(found.collect::<Result<_>>()?))
}

/// Finds the named systems, without duplicates, grouped by project.
pub(super) fn find_systems(arguments: &[String]) -> Result<Vec<OfProject>> {
    let finder = Finder::default();
    let found = arguments.iter().map(|argument| finder.find(argument));
    Ok(grouped(found.collect::<Result<_>>()?))
}

fn grouped(all: Vec<Found>) -> Vec<OfProject> {
    let mut groups: Vec<OfProject> = Vec::new();
    for (system, project) in all {
        let directory = |project: &Option<Rc<Project>>| {
            project
                .as_deref()
                .map(|project| project.directory().to_path_buf())
        };
        let is_same = |group: &&mut OfProject| directory(&group.project) == directory(&project);
        match groups.iter_mut().find(is_same) {
            Some(group) if group.systems.contains(&system) => {}
            Some(group) => group.systems.push(system),
            None => groups.push(OfProject {
                systems: vec![system],
                project,
            }),
        }
    }
    groups
}

/// Finds projects, and caches the project of the current folder. For that folder, `cargo metadata`
/// runs at most once.
#[derive(Default)]
pub(super) struct Finder {
    here: OnceCell<Option<Rc<Project>>>,
}

impl Finder {
    pub(super) fn find(&self, argument: &str) -> Result<Found> {
        // A path is resolved without the current project, so an error in that project must not
        // prevent the use of a path.
        let system = match NamedSystem::at_path(argument) {
            Some(system) => system,
            None => self.catalog()?.find(argument)?,
        };
        let project = self.project_of(&system)?;
        Ok((system, project))
    }

    /// Finds the only system, for a subcommand without a system argument.
    pub(super) fn only(&self, command: &str) -> Result<Found> {
        let system = self.catalog()?.only(command)?;
        let project = self.project_of(&system)?;
        Ok((system, project))
    }

    /// Returns the names of all systems, sorted.
    pub(super) fn names(&self) -> Result<Vec<String>> {
        Ok(self
            .catalog()?
            .names()
            .into_iter()
            .map(str::to_owned)
            .collect())
    }

    /// Returns whether a system has this name.
    pub(super) fn has(&self, name: &str) -> Result<bool> {
        Ok(self.catalog()?.names().contains(&name))
    }

    fn catalog(&self) -> Result<Catalog> {
        let manifest = nearest_manifest(&current_directory()?);
        let package = manifest.as_deref().and_then(Path::parent);
        Ok(Catalog::new(package, self.here()?.as_deref()))
    }

    /// Returns the project that contains the system file, or else the project of the current
    /// folder.
    ///
    /// If the system file and the current folder are in the same workspace, Cargo runs in the
    /// current folder. Users expect this, because Cargo's configuration and relative paths depend
    /// on the folder in which Cargo runs.
    fn project_of(&self, system: &NamedSystem) -> Result<Option<Rc<Project>>> {
        // Resolves symbolic links as Cargo does. With `..` in the path, the search for a manifest
        // would visit folders that do not contain the system file.
        let directory = fs::canonicalize(system.directory())
            .map_err(|e| files::cannot("find", system.directory(), &e))?;
        let Some(own) = nearest_manifest(&directory) else {
            return self.here();
        };
        if nearest_manifest(&current_directory()?) == Some(own.clone()) {
            return self.here();
        }
        match self.here() {
            Ok(Some(here)) if here.has_manifest(&own) => Ok(Some(here)),
            _ => Ok(Project::around(&directory)?.map(Rc::new)),
        }
    }

    fn here(&self) -> Result<Option<Rc<Project>>> {
        if let Some(here) = self.here.get() {
            return Ok(here.clone());
        }
        let here = project_here()?.map(Rc::new);
        Ok(self.here.get_or_init(|| here).clone())
    }
}
