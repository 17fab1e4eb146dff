//! The direct dependencies of the workspace's packages, and the programs in them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use cargo_metadata::{CargoOpt, DependencyKind, Metadata, MetadataCommand, Node, Package};
use miette::{Result, miette};

use crate::c_program::Table;
use crate::chosen;
use crate::nearest::quoted;
use crate::project::{Bin, Project, cargo_program, not_described};
use crate::target::Target;

/// The dependencies of a workspace, as Cargo resolves them for the target of the PDs.
pub(crate) struct Dependencies {
    metadata: Metadata,
}

/// A package that a package of the workspace depends on. Formats as "`NAME VERSION`".
#[derive(Copy, Clone)]
pub(crate) struct Dependency<'a>(pub(crate) &'a Package);

/// A program of a dependency.
pub(crate) enum Found<'a> {
    Bin(Bin),
    C(Table<'a>),
}

impl Dependencies {
    /// Resolves the dependencies of a project. `words` are the features of `--features`.
    ///
    /// # Errors
    ///
    /// Fails if Cargo cannot resolve the dependencies.
    pub(crate) fn read(project: &Project, words: &[String]) -> Result<Self> {
        let features = chosen::of_members(project, words);
        let features = (!features.is_empty()).then_some(CargoOpt::SomeFeatures(features));
        Self::read_with(project, features)
    }

    /// Resolves the dependencies of a project, including all optional dependencies.
    ///
    /// # Errors
    ///
    /// Fails if Cargo cannot resolve the dependencies.
    pub(crate) fn read_all(project: &Project) -> Result<Self> {
        Self::read_with(project, Some(CargoOpt::AllFeatures))
    }

    fn read_with(project: &Project, features: Option<CargoOpt>) -> Result<Self> {
        let mut command = MetadataCommand::new();
        command
            .cargo_path(cargo_program())
            .current_dir(project.directory())
            .manifest_path(project.root_manifest())
            .other_options(["--filter-platform", Target::Fpu.name()].map(str::to_owned));
        if let Some(features) = features {
            command.features(features);
        }
        let metadata = command.exec();
        let metadata = metadata.map_err(|error| not_described(project.directory(), error))?;
        Ok(Self { metadata })
    }

    /// Finds the program `name` in the direct dependencies of `members`.
    ///
    /// # Errors
    ///
    /// Fails if several dependencies have a program of this name.
    pub(crate) fn find(&self, name: &str, members: &[&Package]) -> Result<Option<Found<'_>>> {
        let mut all = Vec::new();
        for (package, dependents) in self.of(members) {
            if has_bin(package, name) {
                let bin = Bin {
                    package_id: package.id.repr.clone(),
                    name: name.to_owned(),
                    dependents,
                };
                all.push((package, Found::Bin(bin)));
            }
            if let Some(table) = Table::of_package(package, name) {
                all.push((package, Found::C(table)));
            }
        }
        if all.len() > 1 {
            let packages = all.iter().map(|(package, found)| match found {
                Found::Bin(_) => format!("the binary of {}", Dependency(package)),
                Found::C(table) => {
                    format!("the table `[{}]` of {}", table.name, Dependency(package))
                }
            });
            let packages: Vec<_> = packages.collect();
            return Err(miette!(
                help = "remove all but one of these dependencies, or build the program that you \
                        mean and name its folder with `--search-path`",
                "more than one dependency of {} has a program `{name}`: {}",
                names(members),
                packages.join(", ")
            ));
        }
        Ok(all.pop().map(|(_, found)| found))
    }

    /// Returns the binary `name` of the direct dependencies of `members`.
    pub(crate) fn bin_of(&self, name: &str, members: &[&Package]) -> Option<Bin> {
        match self.find(name, members) {
            Ok(Some(Found::Bin(bin))) => Some(bin),
            _ => None,
        }
    }

    /// Returns a dependency by its package ID.
    pub(crate) fn dependency(&self, package_id: &str) -> Option<Dependency<'_>> {
        let mut packages = self.metadata.packages.iter();
        packages
            .find(|package| package.id.repr == package_id)
            .map(Dependency)
    }

    /// Returns the names of the binaries in the direct dependencies of `members`.
    pub(crate) fn bin_names(&self, members: &[&Package]) -> Vec<&str> {
        let packages = self.of(members).into_iter();
        let targets = packages.flat_map(|(package, _)| &package.targets);
        let bins = targets.filter(|target| target.is_bin());
        bins.map(|target| target.name.as_str()).collect()
    }

    /// Returns the direct or indirect dependency of the workspace that has the binary `name`.
    pub(crate) fn with_bin(&self, name: &str) -> Option<Dependency<'_>> {
        let mut packages = self.metadata.packages.iter();
        packages
            .find(|package| has_bin(package, name))
            .map(Dependency)
    }

    /// Returns the name of a dependency of `members` that Cargo ignores, because the package has no
    /// library.
    pub(crate) fn ignored<'a>(&self, members: &[&'a Package]) -> Option<&'a str> {
        let of = |member: &&'a Package| {
            let node = self.node(&member.id.repr)?;
            let used = node.deps.iter();
            let used = used.filter_map(|used| self.dependency(&used.pkg.repr));
            let used: Vec<&str> = used.map(|used| used.0.name.as_str()).collect();
            let mut lines = member.dependencies.iter().filter(|line| {
                line.kind == DependencyKind::Normal && !line.optional && line.target.is_none()
            });
            lines.find(|line| !used.contains(&line.name.as_str()))
        };
        members.iter().find_map(of).map(|line| line.name.as_str())
    }

    /// Returns the names of a package and of everything that the package depends on.
    pub(crate) fn below(&self, package_id: &str) -> BTreeSet<&str> {
        let mut ids = BTreeSet::new();
        let mut waiting = vec![package_id];
        while let Some(id) = waiting.pop() {
            let node = self.node(id).filter(|_| ids.insert(id));
            let dependencies = node.map_or(&[][..], |node| &node.dependencies);
            waiting.extend(dependencies.iter().map(|id| id.repr.as_str()));
        }
        let packages = self.metadata.packages.iter();
        let packages = packages.filter(|package| ids.contains(package.id.repr.as_str()));
        packages.map(|package| package.name.as_str()).collect()
    }

    /// Returns the direct dependencies of `members` outside the workspace, with the IDs of the
    /// members that depend on each.
    fn of(&self, members: &[&Package]) -> Vec<(&Package, BTreeSet<String>)> {
        let mut all: BTreeMap<&str, (&Package, BTreeSet<String>)> = BTreeMap::new();
        for member in members {
            for package in self.direct(member) {
                let (_, dependents) = all
                    .entry(&package.id.repr)
                    .or_insert_with(|| (package, BTreeSet::new()));
                dependents.insert(member.id.repr.clone());
            }
        }
        all.into_values().collect()
    }

    /// Returns the packages outside the workspace that the programs of a member can use.
    fn direct(&self, member: &Package) -> impl Iterator<Item = &Package> {
        let dependencies = self
            .node(&member.id.repr)
            .map_or(&[][..], |node| &node.deps);
        let normal = dependencies.iter().filter(|dependency| {
            let mut kinds = dependency.dep_kinds.iter();
            kinds.any(|kind| kind.kind == DependencyKind::Normal)
        });
        let members = &self.metadata.workspace_members;
        let outside = normal.filter(|dependency| !members.contains(&dependency.pkg));
        outside.filter_map(|dependency| self.dependency(&dependency.pkg.repr).map(|d| d.0))
    }

    fn node(&self, package_id: &str) -> Option<&Node> {
        let mut nodes = self.metadata.resolve.iter().flat_map(|graph| &graph.nodes);
        nodes.find(|node| node.id.repr == package_id)
    }
}

impl fmt::Display for Dependency<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Package { name, version, .. } = self.0;
        write!(f, "`{name} {version}`")
    }
}

/// Formats a list of packages for a message. More than three packages are not named one by one.
pub(crate) fn names(packages: &[&Package]) -> String {
    match packages.len() {
        ..=3 => quoted(packages.iter().map(|package| package.name.as_str())),
        _ => "the packages of the workspace".to_owned(),
    }
}

fn has_bin(package: &Package, name: &str) -> bool {
    let mut targets = package.targets.iter();
    targets.any(|target| target.is_bin() && target.name == name)
}
