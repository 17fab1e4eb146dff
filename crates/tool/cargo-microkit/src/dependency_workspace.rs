//! A workspace in the target folder from which Cargo builds the programs of dependencies.
//!
//! In the user's workspace, Cargo would build the program of a dependency with the features of
//! every package that depends on it. For example, a console would need an allocator because the
//! user's own program has an allocator. In this workspace, each program has a separate package. The
//! only dependency of this package is the package of the program, with the features that the
//! user's dependency line chooses. The versions, patches and profiles are those of the user's
//! workspace.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::Package;
use miette::{Result, miette};
use toml::{Table, Value};

use crate::dependencies::{Dependencies, Dependency};
use crate::files;
use crate::git_source::GitSource;
use crate::project::Project;

/// The registry of a dependency line that names no registry.
const DEFAULT_REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// A dependency with the features that its programs are built with.
pub(crate) struct Line<'a> {
    pub(crate) package: &'a Package,
    pub(crate) features: BTreeSet<String>,
}

/// Writes the workspace into `folder`. Returns its root manifest, and the name of the package for
/// each line.
///
/// # Errors
///
/// Fails if a file cannot be written, or if the source of a dependency is unknown.
pub(crate) fn write(
    folder: &Path,
    project: &Project,
    dependencies: &Dependencies,
    lines: &[Line<'_>],
) -> Result<(PathBuf, Vec<String>)> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|e| files::cannot("remove", folder, &e))?;
    }
    let mut names = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let name = format!("program-{number}-of-{}", line.package.name);
        let member = folder.join(&name);
        files::make_directory(&member)?;
        files::write(&member.join("Cargo.toml"), member_manifest(&name, line)?)?;
        // A package needs a target. Nothing depends on this library, so Cargo does not build it.
        files::write(&member.join("lib.rs"), "#![no_std]\n")?;
        names.push(name);
    }
    let ids = lines.iter().map(|line| line.package.id.repr.as_str());
    let below = ids.flat_map(|id| dependencies.below(id)).collect();
    let text = fs::read_to_string(project.root_manifest())
        .map_err(|e| files::cannot("read", project.root_manifest(), &e))?;
    let users = toml::from_str(&text).map_err(|e| {
        miette!(
            help = "correct the file",
            "`{}` is not a valid manifest: {e}",
            project.root_manifest().display()
        )
    })?;
    let root = root_manifest(users, project.root(), &names, &below);
    let manifest = folder.join("Cargo.toml");
    files::write(&manifest, root.to_string())?;
    let lock = project.root().join("Cargo.lock");
    if lock.is_file() {
        files::place(&lock, &folder.join("Cargo.lock"))?;
    }
    Ok((manifest, names))
}

fn member_manifest(name: &str, line: &Line<'_>) -> Result<String> {
    let mut source = source(line.package)?;
    source.insert("default-features".into(), false.into());
    let features = line.features.iter().cloned().map(Value::String);
    source.insert("features".into(), Value::Array(features.collect()));
    let mut dependencies = Table::new();
    dependencies.insert(line.package.name.to_string(), Value::Table(source));
    let package = keys(&[
        ("name", name.to_owned()),
        ("version", "0.0.0".to_owned()),
        ("edition", "2021".to_owned()),
    ]);
    let library = keys(&[("path", "lib.rs".to_owned())]);
    let tables = [
        ("package", package),
        ("lib", library),
        ("dependencies", dependencies),
    ];
    let tables = tables.map(|(key, table)| (key.to_owned(), Value::Table(table)));
    Ok(Table::from_iter(tables).to_string())
}

/// Returns a table of strings.
fn keys(all: &[(&str, String)]) -> Table {
    let all = all.iter();
    all.map(|(key, value)| ((*key).to_owned(), Value::String(value.clone())))
        .collect()
}

/// Returns the keys of a dependency line that name the source of a package.
fn source(package: &Package) -> Result<Table> {
    let version = ("version", format!("={}", package.version));
    let Some(source) = &package.source else {
        let folder = package.manifest_path.with_file_name("");
        return Ok(keys(&[("path", folder.to_string())]));
    };
    if source.repr == DEFAULT_REGISTRY {
        return Ok(keys(&[version]));
    }
    if let Some(git) = source.repr.strip_prefix("git+") {
        let GitSource { url, reference, .. } = GitSource::parse(git);
        let reference = reference.map(|(kind, name)| (kind, name.into_owned()));
        let all: Vec<_> = [("git", url.to_owned())]
            .into_iter()
            .chain(reference)
            .collect();
        return Ok(keys(&all));
    }
    let registry = source.repr.strip_prefix("registry+");
    let registry = registry.or(source.repr.starts_with("sparse+").then_some(&source.repr));
    match registry {
        Some(registry) => Ok(keys(&[version, ("registry-index", registry.to_owned())])),
        None => Err(miette!(
            help = "depend on it by a path, a Git repository or a registry; or build the program \
                    yourself and name its folder with `--search-path`",
            "the programs of {} cannot be built: its source `{}` is unknown",
            Dependency(package),
            source.repr
        )),
    }
}

/// Returns the root manifest, with the patches and profiles of the user's manifest. `root` is the
/// folder of that manifest. `below` contains the names of the dependencies with programs, and of
/// all packages that they depend on. Entries for other packages are left out, because Cargo would
/// warn that they have no effect.
fn root_manifest(
    mut users: Table,
    root: &Path,
    members: &[String],
    below: &BTreeSet<&str>,
) -> Table {
    let members = members.iter().cloned().map(Value::String).collect();
    let mut workspace = Table::new();
    workspace.insert("resolver".into(), "2".into());
    workspace.insert("members".into(), Value::Array(members));
    let mut manifest = Table::new();
    manifest.insert("workspace".into(), Value::Table(workspace));

    let is_below = |key: &str, entry: &Value| {
        let package = entry.get("package").and_then(Value::as_str);
        let name = package.unwrap_or_else(|| package_of(key));
        below.contains(name)
    };
    let mut patches = users.remove("patch");
    let sources = patches.iter_mut().filter_map(Value::as_table_mut);
    let sources = sources.flat_map(|patch| patch.iter_mut());
    let sources = sources.filter_map(|(_, source)| source.as_table_mut());
    let mut replaced = users.remove("replace");
    let replaces = replaced.iter_mut().filter_map(Value::as_table_mut);
    for source in sources.chain(replaces) {
        source.retain(|key, entry| is_below(key, entry));
        source
            .iter_mut()
            .for_each(|(_, entry)| make_path_absolute(entry, root));
    }
    let mut profiles = users.remove("profile");
    let all = profiles.iter_mut().filter_map(Value::as_table_mut);
    for (_, profile) in all.flat_map(|profiles| profiles.iter_mut()) {
        if let Some(packages) = profile.get_mut("package").and_then(Value::as_table_mut) {
            packages.retain(|key, _| key == "*" || below.contains(package_of(key)));
        }
    }
    let copied = [
        ("cargo-features", users.remove("cargo-features")),
        ("patch", patches),
        ("replace", replaced),
        ("profile", profiles),
    ];
    let copied = copied
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)));
    manifest.extend(copied);
    manifest
}

/// Returns the name in a package ID specification: `NAME`, `NAME@VERSION`, `NAME:VERSION`, or a URL
/// that ends in `#NAME@VERSION` or in `/NAME`.
fn package_of(specification: &str) -> &str {
    let (url, fragment) = match specification.rsplit_once('#') {
        Some((url, fragment)) => (url, fragment),
        None => ("", specification),
    };
    let last = fragment.rsplit('/').next().unwrap_or(fragment);
    let name = last.split(['@', ':']).next().unwrap_or(last);
    match name.starts_with(|c: char| c.is_ascii_digit()) {
        true => url.rsplit('/').next().unwrap_or(url),
        false => name,
    }
}

fn make_path_absolute(entry: &mut Value, root: &Path) {
    if let Some(Value::String(path)) = entry.get_mut("path") {
        *path = root.join(&path).to_string_lossy().into_owned();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_has_the_users_patches_and_profiles_of_the_packages_below() {
        let users = "[workspace]\nmembers = ['app']\n\
                     [workspace.dependencies]\nshared = '1'\n\
                     [patch.crates-io]\nshared = { path = '../shared' }\nother = { path = 'other' }\n\
                     [patch.'https://example.org/a']\nours = { package = 'shared', path = '/a' }\n\
                     [replace]\n'shared:1.0.0' = { path = 'shared' }\n\
                     [profile.dev]\nopt-level = 1\n\
                     [profile.dev.package]\n'*'.opt-level = 2\n'shared@1'.opt-level = 3\n\
                     other.opt-level = 3\n";
        let users = toml::from_str(users).expect("TOML");
        let below = BTreeSet::from(["console", "shared"]);
        let members = ["program-0-of-console".to_owned()];
        let manifest = root_manifest(users, Path::new("/home/ada"), &members, &below);
        let expect = "[workspace]\nresolver = '2'\nmembers = ['program-0-of-console']\n\
                      [patch.crates-io]\nshared = { path = '/home/ada/../shared' }\n\
                      [patch.'https://example.org/a']\n\
                      ours = { package = 'shared', path = '/a' }\n\
                      [replace]\n'shared:1.0.0' = { path = '/home/ada/shared' }\n\
                      [profile.dev]\nopt-level = 1\n\
                      [profile.dev.package]\n'*'.opt-level = 2\n'shared@1'.opt-level = 3\n";
        assert_eq!(manifest, toml::from_str(expect).expect("TOML"));
    }

    #[test]
    fn a_package_id_specification_names_a_package() {
        let check = |text, expect| assert_eq!(package_of(text), expect, "{text}");
        check("shared", "shared");
        check("shared@1.2", "shared");
        check("shared:1.2", "shared");
        check("https://example.org/index#shared@1.2.0", "shared");
        check("path+file:///home/ada/shared#0.1.0", "shared");
        check("https://example.org/shared", "shared");
    }
}
