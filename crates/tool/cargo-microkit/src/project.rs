//! The Cargo workspace or package that contains the programs of a system.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, MetadataCommand, Package};
use miette::{Report, Result, miette};

use crate::c_program::Table;
use crate::dependencies::{Dependencies, Dependency};
use crate::nearest::quoted;

/// A workspace, and the directory in which Cargo runs.
pub(crate) struct Project {
    directory: PathBuf,
    metadata: Metadata,
    /// The root manifest of the workspace.
    root_manifest: PathBuf,
    /// The dependencies of the packages, after their first use.
    dependencies: OnceCell<Dependencies>,
}

/// A binary target of the workspace, or of a dependency.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Bin {
    /// The ID of the binary's package.
    pub(crate) package_id: String,
    /// The name of the binary.
    pub(crate) name: String,
    /// The IDs of the workspace's packages that depend on the binary's package. They choose its
    /// features. Empty for a binary of the workspace.
    pub(crate) dependents: BTreeSet<String>,
}

/// A package with host tests.
pub(crate) struct TestedPackage<'a> {
    pub(crate) name: &'a str,
    /// The package ID.
    pub(crate) id: &'a str,
    /// The names of the package's binaries.
    pub(crate) bins: Vec<&'a str>,
}

/// The properties of a package that are compared with `--features`.
pub(crate) struct Traits<'a> {
    /// The package ID.
    pub(crate) id: &'a str,
    pub(crate) name: &'a str,
    pub(crate) features: Vec<&'a str>,
    /// The names of the dependencies in the package's manifest.
    pub(crate) dependencies: Vec<&'a str>,
}

impl Project {
    /// Returns the project that contains `directory`, or `None` outside a project.
    ///
    /// # Errors
    ///
    /// Fails if Cargo reports an error in the project.
    pub(crate) fn around(directory: &Path) -> Result<Option<Self>> {
        if nearest_manifest(directory).is_none() {
            return Ok(None);
        }
        let metadata = MetadataCommand::new()
            .cargo_path(cargo_program())
            .current_dir(directory)
            .no_deps()
            .exec()
            .map_err(|error| not_described(directory, error))?;
        Ok(Some(Self {
            directory: directory.to_path_buf(),
            root_manifest: metadata.workspace_root.join("Cargo.toml").into(),
            metadata,
            dependencies: OnceCell::new(),
        }))
    }

    /// Returns the directory in which Cargo runs.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the root of the workspace.
    pub(crate) fn root(&self) -> &Path {
        self.metadata.workspace_root.as_std_path()
    }

    /// Returns the manifest of the workspace.
    ///
    /// Calls of Cargo with `--features` pass this manifest as `--manifest-path`. With resolver 1,
    /// Cargo interprets `PACKAGE/FEATURE` differently if Cargo runs in the folder of a package.
    pub(crate) fn root_manifest(&self) -> &Path {
        &self.root_manifest
    }

    /// Returns whether a manifest is the root manifest, or the manifest of a package in the
    /// workspace.
    pub(crate) fn has_manifest(&self, manifest: &Path) -> bool {
        let mut packages = self.metadata.packages.iter();
        manifest == self.root_manifest
            || packages.any(|package| package.manifest_path.as_std_path() == manifest)
    }

    /// Returns the folders of the workspace's packages.
    pub(crate) fn package_folders(&self) -> impl Iterator<Item = &Path> {
        let packages = self.metadata.packages.iter();
        packages.filter_map(|package| package.manifest_path.as_std_path().parent())
    }

    /// Returns Cargo's target directory.
    pub(crate) fn target_directory(&self) -> &Path {
        self.metadata.target_directory.as_std_path()
    }

    /// Finds the binary target `name`.
    ///
    /// # Errors
    ///
    /// Fails if several packages have a binary of this name.
    pub(crate) fn bin(&self, name: &str) -> Result<Option<Bin>> {
        let packages: Vec<_> = self
            .metadata
            .packages
            .iter()
            .filter(|p| p.targets.iter().any(|t| t.is_bin() && t.name == name))
            .collect();
        match packages[..] {
            [] => Ok(None),
            [package] => Ok(Some(Bin {
                package_id: package.id.repr.clone(),
                name: name.to_owned(),
                dependents: BTreeSet::new(),
            })),
            _ => Err(miette!(
                help = "rename all but one, or build the one that you mean and name its folder \
                        with `--search-path`",
                "more than one package of `{}` has a binary `{name}`: {}",
                self.root().display(),
                quoted(packages.iter().map(|p| p.name.as_str()))
            )),
        }
    }

    /// Returns the folder of a binary's package.
    pub(crate) fn folder(&self, bin: &Bin) -> Option<&Path> {
        let package = self.package(&bin.package_id)?;
        package.manifest_path.as_std_path().parent()
    }

    /// Returns the packages whose dependencies are searched for the programs of a system file in
    /// `directory`: the package that contains `directory`, or the package of the folder in which
    /// Cargo runs. For a folder of the workspace outside all packages, returns every package.
    pub(crate) fn packages_around(&self, directory: &Path) -> Vec<&Package> {
        let directory = directory.canonicalize();
        let manifests = [directory.ok().as_deref(), Some(&self.directory)].map(|folder| {
            let manifest = nearest_manifest(folder?)?;
            self.has_manifest(&manifest).then_some(manifest)
        });
        let manifest = manifests.into_iter().flatten().next();
        let all = self.metadata.packages.iter();
        let own = all.filter(|p| Some(p.manifest_path.as_std_path()) == manifest.as_deref());
        match own.collect::<Vec<_>>() {
            none if none.is_empty() => self.metadata.packages.iter().collect(),
            own => own,
        }
    }

    /// Returns the dependencies of the workspace's packages. Runs Cargo at the first call. `words`
    /// are the features of `--features`, because they can enable optional dependencies.
    ///
    /// # Errors
    ///
    /// Fails if Cargo cannot resolve the dependencies.
    pub(crate) fn dependencies(&self, words: &[String]) -> Result<&Dependencies> {
        if let Some(dependencies) = self.dependencies.get() {
            return Ok(dependencies);
        }
        let dependencies = Dependencies::read(self, words)?;
        Ok(self.dependencies.get_or_init(|| dependencies))
    }

    /// Returns the dependencies, if they have been resolved.
    pub(crate) fn known_dependencies(&self) -> Option<&Dependencies> {
        self.dependencies.get()
    }

    /// Returns the dependency that a binary belongs to, or `None` for a binary of the workspace.
    pub(crate) fn dependency(&self, bin: &Bin) -> Option<Dependency<'_>> {
        let dependencies = self.known_dependencies()?;
        (!bin.dependents.is_empty())
            .then(|| dependencies.dependency(&bin.package_id))
            .flatten()
    }

    /// Returns a package of the workspace.
    pub(crate) fn package(&self, package_id: &str) -> Option<&Package> {
        let mut packages = self.metadata.packages.iter();
        packages.find(|package| package.id.repr == package_id)
    }

    /// Returns the packages of the workspace.
    pub(crate) fn packages(&self) -> &[Package] {
        &self.metadata.packages
    }

    /// Finds the table of a manifest that describes the C program `name`.
    ///
    /// # Errors
    ///
    /// Fails if several tables describe the program.
    pub(crate) fn c_table(&self, name: &str) -> Result<Option<Table<'_>>> {
        let metadata = &self.metadata.workspace_metadata;
        let of_workspace = Table::of("workspace", &self.root_manifest, metadata, name);
        let packages = self.metadata.packages.iter();
        let tables = packages.filter_map(|package| Table::of_package(package, name));
        let tables = of_workspace.into_iter().chain(tables);
        let mut tables: Vec<_> = tables.collect();
        if tables.len() > 1 {
            let all = tables
                .iter()
                .map(|table| format!("[{}] of {}", table.name, table.manifest.display()));
            return Err(miette!(
                help = "rename all but one",
                "more than one table describes the program `{name}`: {}",
                quoted(all)
            ));
        }
        Ok(tables.pop())
    }

    /// Returns the features and dependencies of a package of the workspace, or the features of a
    /// dependency.
    pub(crate) fn traits(&self, package_id: &str) -> Option<Traits<'_>> {
        let dependency = || self.known_dependencies()?.dependency(package_id);
        match self.package(package_id) {
            Some(package) => Some(Traits::of_member(package)),
            None => dependency().map(|dependency| Traits::of_dependency(dependency.0)),
        }
    }

    /// Returns the packages that have binaries and a dependency on `microkit-test`.
    pub(crate) fn tested_on_host(&self) -> Vec<TestedPackage<'_>> {
        let packages = self.metadata.packages.iter().map(|package| {
            let bins = package.targets.iter().filter(|target| target.is_bin());
            let is_tested = package
                .dependencies
                .iter()
                .any(|d| d.name == "microkit-test");
            let package = TestedPackage {
                name: &package.name,
                id: &package.id.repr,
                bins: bins.map(|target| target.name.as_str()).collect(),
            };
            (package, is_tested)
        });
        packages
            .filter(|(package, is_tested)| *is_tested && !package.bins.is_empty())
            .map(|(package, _)| package)
            .collect()
    }

    /// Returns the root source file of the binary target `name`.
    pub(crate) fn bin_source(&self, name: &str) -> Option<&Path> {
        let mut targets = self.metadata.packages.iter().flat_map(|p| &p.targets);
        targets
            .find(|t| t.is_bin() && t.name == name)
            .map(|t| t.src_path.as_std_path())
    }

    /// Returns the names of all binary targets.
    pub(crate) fn bin_names(&self) -> impl Iterator<Item = &str> {
        let targets = self.metadata.packages.iter().flat_map(|p| &p.targets);
        targets.filter(|t| t.is_bin()).map(|t| t.name.as_str())
    }
}

impl<'a> Traits<'a> {
    fn of_member(package: &'a Package) -> Self {
        let names = package.dependencies.iter();
        let names = names.map(|dependency| dependency.rename.as_ref().unwrap_or(&dependency.name));
        Self {
            dependencies: names.map(String::as_str).collect(),
            ..Self::of_dependency(package)
        }
    }

    /// Returns the traits of a dependency. Features of its own dependencies cannot be enabled.
    pub(crate) fn of_dependency(package: &'a Package) -> Self {
        Self {
            id: &package.id.repr,
            name: &package.name,
            features: package.features.keys().map(String::as_str).collect(),
            dependencies: Vec::new(),
        }
    }
}

/// Returns the error for a failed `cargo metadata`.
pub(crate) fn not_described(directory: &Path, error: cargo_metadata::Error) -> Report {
    match error {
        cargo_metadata::Error::CargoMetadata { stderr } => miette!(
            help = "run `cargo metadata` there; it must succeed",
            "Cargo does not accept the project that contains `{}`:\n{}",
            directory.display(),
            stderr.trim_end()
        ),
        other => miette!(
            help = "install Rust from https://rustup.rs",
            "Cargo could not describe the project that contains `{}`: {other}",
            directory.display()
        ),
    }
}

/// Returns the nearest manifest in `directory` and its parents. The path must be canonical.
pub(crate) fn nearest_manifest(directory: &Path) -> Option<PathBuf> {
    let mut manifests = directory
        .ancestors()
        .map(|ancestor| ancestor.join("Cargo.toml"));
    manifests.find(|manifest| manifest.is_file())
}

/// Returns the Cargo that started this program, or else the `cargo` on the PATH.
pub(crate) fn cargo_program() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
