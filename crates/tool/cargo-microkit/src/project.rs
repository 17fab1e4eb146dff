//! The Cargo workspace or package whose binaries are the programs of a system.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, MetadataCommand};
use miette::{Result, miette};

use crate::c_program::Table;
use crate::nearest::quoted;

/// A workspace, and the directory from which Cargo is run in it.
pub(crate) struct Project {
    directory: PathBuf,
    metadata: Metadata,
    /// The manifest of the workspace.
    root_manifest: PathBuf,
}

/// A binary target of the workspace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Bin {
    /// Its package, as Cargo identifies it.
    pub(crate) package_id: String,
    /// Its name, which no other binary of the workspace has.
    pub(crate) name: String,
}

/// A package that has tests on the host.
pub(crate) struct TestedPackage<'a> {
    pub(crate) name: &'a str,
    /// As Cargo identifies it.
    pub(crate) id: &'a str,
    /// Its binaries.
    pub(crate) bins: Vec<&'a str>,
}

/// What a package has that features are chosen by.
pub(crate) struct Traits<'a> {
    /// As Cargo identifies it.
    pub(crate) id: &'a str,
    pub(crate) name: &'a str,
    pub(crate) features: Vec<&'a str>,
    /// By the names that it knows them by.
    pub(crate) dependencies: Vec<&'a str>,
}

impl Project {
    /// The project around `directory`, if that lies in one.
    ///
    /// **Errors:** Cargo does not accept the project that is there.
    pub(crate) fn around(directory: &Path) -> Result<Option<Self>> {
        if nearest_manifest(directory).is_none() {
            return Ok(None);
        }
        let metadata = MetadataCommand::new()
            .cargo_path(cargo_program())
            .current_dir(directory)
            .no_deps()
            .exec()
            .map_err(|error| match error {
                cargo_metadata::Error::CargoMetadata { stderr } => miette!(
                    help = "`cargo metadata` must succeed there",
                    "Cargo does not accept the project around `{}`:\n{}",
                    directory.display(),
                    stderr.trim_end()
                ),
                other => miette!(
                    help = "install Rust from https://rustup.rs",
                    "Cargo could not tell what the project around `{}` holds: {other}",
                    directory.display()
                ),
            })?;
        Ok(Some(Self {
            directory: directory.to_path_buf(),
            root_manifest: metadata.workspace_root.join("Cargo.toml").into(),
            metadata,
        }))
    }

    /// Where to run Cargo.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The root of the workspace.
    pub(crate) fn root(&self) -> &Path {
        self.metadata.workspace_root.as_std_path()
    }

    /// The manifest of the workspace. Cargo gets it where features are chosen: with resolver 1 it
    /// reads `PACKAGE/FEATURE` otherwise for the package in whose folder it runs.
    pub(crate) fn root_manifest(&self) -> &Path {
        &self.root_manifest
    }

    /// Whether a manifest is that of the workspace or of one of its packages.
    pub(crate) fn has_manifest(&self, manifest: &Path) -> bool {
        let mut packages = self.metadata.packages.iter();
        manifest == self.root_manifest
            || packages.any(|package| package.manifest_path.as_std_path() == manifest)
    }

    /// Where Cargo puts what it builds.
    pub(crate) fn target_directory(&self) -> &Path {
        self.metadata.target_directory.as_std_path()
    }

    /// The binary target called `name`.
    ///
    /// **Errors:** several packages have one.
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
            })),
            _ => Err(miette!(
                help = "rename all but one, or give the folder of the one that you mean, built, with \
                        `--search-path`",
                "more than one package of `{}` has a binary `{name}`: {}",
                self.root().display(),
                quoted(packages.iter().map(|p| p.name.as_str()))
            )),
        }
    }

    /// The folder of the package that has a binary.
    pub(crate) fn folder(&self, bin: &Bin) -> Option<&Path> {
        let mut packages = self.metadata.packages.iter();
        let package = packages.find(|package| package.id.repr == bin.package_id)?;
        package.manifest_path.as_std_path().parent()
    }

    /// The table of a manifest that describes the program `name` in C.
    ///
    /// **Errors:** several do.
    pub(crate) fn c_table(&self, name: &str) -> Result<Option<Table<'_>>> {
        let workspace = (
            "workspace",
            self.root_manifest.as_path(),
            &self.metadata.workspace_metadata,
        );
        let packages = self.metadata.packages.iter();
        let packages = packages.map(|package| {
            let manifest = package.manifest_path.as_std_path();
            ("package", manifest, &package.metadata)
        });
        let tables = std::iter::once(workspace).chain(packages);
        let tables = tables.filter_map(|(kind, manifest, metadata)| {
            Some(Table {
                name: format!("{kind}.metadata.microkit.c.{name}"),
                manifest,
                content: metadata.get("microkit")?.get("c")?.get(name)?,
            })
        });
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

    /// What features and dependencies a package has.
    pub(crate) fn traits(&self, package_id: &str) -> Option<Traits<'_>> {
        let mut packages = self.metadata.packages.iter();
        let package = packages.find(|package| package.id.repr == package_id)?;
        let dependencies = package.dependencies.iter();
        Some(Traits {
            id: &package.id.repr,
            name: &package.name,
            features: package.features.keys().map(String::as_str).collect(),
            dependencies: dependencies
                .map(|dependency| {
                    dependency
                        .rename
                        .as_ref()
                        .unwrap_or(&dependency.name)
                        .as_str()
                })
                .collect(),
        })
    }

    /// The packages with binaries that have `microkit-test` among their dependencies.
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

    /// The file that the binary target called `name` begins with.
    pub(crate) fn bin_source(&self, name: &str) -> Option<&Path> {
        let mut targets = self.metadata.packages.iter().flat_map(|p| &p.targets);
        targets
            .find(|t| t.is_bin() && t.name == name)
            .map(|t| t.src_path.as_std_path())
    }

    /// The names of all binary targets.
    pub(crate) fn bin_names(&self) -> impl Iterator<Item = &str> {
        let targets = self.metadata.packages.iter().flat_map(|p| &p.targets);
        targets.filter(|t| t.is_bin()).map(|t| t.name.as_str())
    }
}

/// The manifest of the project around `directory`, a path without links.
pub(crate) fn nearest_manifest(directory: &Path) -> Option<PathBuf> {
    let mut manifests = directory
        .ancestors()
        .map(|ancestor| ancestor.join("Cargo.toml"));
    manifests.find(|manifest| manifest.is_file())
}

/// The Cargo that started this program, if one did.
pub(crate) fn cargo_program() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
