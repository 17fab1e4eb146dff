//! The calls of Cargo that build the programs of the workspace and of its dependencies, one call
//! for each package.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use miette::{Result, miette};

use crate::chosen::{self, Chosen};
use crate::cli::Options;
use crate::dependencies::{Dependencies, Dependency};
use crate::dependency_workspace::{self, Line};
use crate::features::CargoCall;
use crate::fit;
use crate::nearest::quoted;
use crate::project::{Bin, Project};
use crate::tree::{Features, Root, Tree};

/// The dependency trees of the workspace's packages, by package ID. Each of these packages has
/// programs to build, or depends on a package with such programs.
type Trees<'a> = BTreeMap<&'a str, Option<Tree>>;

/// Returns a call for each package with programs, and the features of every package that the call
/// builds. Writes the workspace for the programs of dependencies into `folder`.
///
/// # Errors
///
/// Fails if a chosen feature exists in no program, if a program requires a feature that is not
/// enabled, or if the runtime of a program does not fit this tool.
pub(crate) fn all(
    project: &Project,
    bins: &BTreeSet<Bin>,
    options: &Options,
    folder: &Path,
) -> Result<Vec<(CargoCall, Option<Features>)>> {
    let (own, of_dependencies): (BTreeSet<&Bin>, BTreeSet<&Bin>) =
        bins.iter().partition(|bin| bin.dependents.is_empty());
    let dependents = of_dependencies.iter().flat_map(|bin| &bin.dependents);
    let members = own.iter().map(|bin| &bin.package_id).chain(dependents);
    let members: BTreeSet<&str> = members.map(String::as_str).collect();
    let packages = of_dependencies.iter().map(|bin| bin.package_id.as_str());
    let packages = packages.chain(members.iter().copied()).collect();
    let chosen = chosen::choose(project, &packages, &options.features)?;

    let trees = read_trees(project, &members, &chosen);
    for (package_id, tree) in &trees {
        let name = project.package(package_id).map(|package| &package.name);
        if let (Some(name), Some(tree)) = (name, tree) {
            fit::check(name, tree)?;
        }
    }
    let mut calls = own_calls(project, own, &chosen, &trees);
    if !of_dependencies.is_empty() {
        let dependencies = project.dependencies(&options.features)?;
        let programs = programs(dependencies, of_dependencies, &chosen, &trees, project)?;
        calls.extend(dependency_calls(project, dependencies, programs, folder)?);
    }
    Ok(calls)
}

fn read_trees<'a>(project: &Project, members: &BTreeSet<&'a str>, chosen: &'a Chosen) -> Trees<'a> {
    let root = |package: &&'a str| Root {
        package,
        chosen: chosen
            .get(*package)
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect(),
    };
    let roots: Vec<_> = members.iter().map(root).collect();
    let trees = Tree::read_all(project.directory(), project.root_manifest(), &roots);
    members.iter().copied().zip(trees).collect()
}

/// Returns the calls for the workspace's own programs.
fn own_calls(
    project: &Project,
    bins: BTreeSet<&Bin>,
    chosen: &Chosen,
    trees: &Trees<'_>,
) -> Vec<(CargoCall, Option<Features>)> {
    let mut packages: BTreeMap<&str, BTreeSet<Bin>> = BTreeMap::new();
    for bin in bins {
        let bins = packages.entry(&bin.package_id).or_default();
        bins.insert(bin.clone());
    }
    let calls = packages.into_iter().map(|(package_id, bins)| {
        let tree = trees.get(package_id).and_then(Option::as_ref);
        let call = CargoCall {
            manifest: project.root_manifest().to_path_buf(),
            packages: BTreeSet::from([package_id.to_owned()]),
            bins,
            chosen: chosen.get(package_id).cloned().unwrap_or_default(),
        };
        (call, tree.map(Tree::features))
    });
    calls.collect()
}

/// Programs of one dependency, with the same dependents in the workspace.
struct Programs<'a> {
    line: Line<'a>,
    bins: BTreeSet<Bin>,
}

/// Collects the programs of dependencies, with the features that the dependents choose.
fn programs<'a>(
    dependencies: &'a Dependencies,
    bins: BTreeSet<&Bin>,
    chosen: &Chosen,
    trees: &Trees<'_>,
    project: &Project,
) -> Result<Vec<Programs<'a>>> {
    let mut all: Vec<Programs<'_>> = Vec::new();
    for bin in bins {
        let Some(dependency) = dependencies.dependency(&bin.package_id) else {
            continue;
        };
        let same = |other: &&mut Programs<'_>| {
            let mut bins = other.bins.iter();
            bins.any(|o| (&o.package_id, &o.dependents) == (&bin.package_id, &bin.dependents))
        };
        if let Some(programs) = all.iter_mut().find(same) {
            check_required(&programs.line, bin, project)?;
            programs.bins.insert(bin.clone());
            continue;
        }
        let mut features = features_of(dependency, bin, trees, project)?;
        let own = format!("{}/", dependency.0.name);
        let chosen = chosen.get(&bin.package_id).into_iter().flatten();
        features.extend(chosen.filter_map(|f| Some(f.strip_prefix(&own)?.to_owned())));
        let line = Line {
            package: dependency.0,
            features,
        };
        check_required(&line, bin, project)?;
        all.push(Programs {
            line,
            bins: BTreeSet::from([bin.clone()]),
        });
    }
    Ok(all)
}

/// Returns the features of a dependency that its dependents choose.
fn features_of(
    dependency: Dependency<'_>,
    bin: &Bin,
    trees: &Trees<'_>,
    project: &Project,
) -> Result<BTreeSet<String>> {
    let (name, version) = (&dependency.0.name, dependency.0.version.to_string());
    let mut features = None;
    for dependent in &bin.dependents {
        let tree = trees.get(dependent.as_str()).and_then(Option::as_ref);
        if let Some(found) = tree.and_then(|tree| tree.features_of(name, &version)) {
            features.get_or_insert_with(BTreeSet::new).extend(found);
        }
    }
    features.ok_or_else(|| {
        miette!(
            help = "run `cargo tree` there; it must list the dependency",
            "Cargo does not list the features of {dependency}, a dependency of {}",
            dependents_of(bin, project)
        )
    })
}

/// Checks that the features that a program requires of its own package are enabled. Cargo checks
/// the features that the program requires of other packages (`PACKAGE/FEATURE`).
fn check_required(line: &Line<'_>, bin: &Bin, project: &Project) -> Result<()> {
    let mut targets = line.package.targets.iter();
    let target = targets.find(|target| target.is_bin() && target.name == bin.name);
    let required = target.map_or(&[][..], |target| &target.required_features);
    let missing = required
        .iter()
        .filter(|feature| !feature.contains('/') && !line.features.contains(*feature));
    let missing: Vec<_> = missing.collect();
    if missing.is_empty() {
        return Ok(());
    }
    let name = &line.package.name;
    let list = missing.iter().map(|feature| format!("\"{feature}\""));
    Err(miette!(
        help = format!(
            "write `features = [{}]` in the line of the dependency `{name}`, in the Cargo.toml of \
             {}, or give `--features {name}/{}`",
            list.collect::<Vec<_>>().join(", "),
            dependents_of(bin, project),
            missing[0]
        ),
        "the binary `{}` of the dependency {} requires features that are not enabled: {}",
        bin.name,
        Dependency(line.package),
        quoted(&missing)
    ))
}

fn dependents_of(bin: &Bin, project: &Project) -> String {
    let packages = bin.dependents.iter().filter_map(|id| project.package(id));
    quoted(packages.map(|package| package.name.as_str()))
}

/// Returns the calls for the programs of dependencies.
fn dependency_calls(
    project: &Project,
    dependencies: &Dependencies,
    programs: Vec<Programs<'_>>,
    folder: &Path,
) -> Result<Vec<(CargoCall, Option<Features>)>> {
    let (lines, bins): (Vec<_>, Vec<_>) = programs
        .into_iter()
        .map(|programs| (programs.line, programs.bins))
        .unzip();
    let (manifest, names): (PathBuf, _) =
        dependency_workspace::write(folder, project, dependencies, &lines)?;
    let trees = match &names[..] {
        [_] => vec![None],
        names => {
            let roots = names.iter().map(|package| Root {
                package,
                chosen: Vec::new(),
            });
            let roots: Vec<_> = roots.collect();
            Tree::read_all(project.directory(), &manifest, &roots)
        }
    };
    let calls = names.into_iter().zip(lines).zip(bins).zip(trees);
    let calls = calls.map(|(((name, line), bins), tree)| {
        let call = CargoCall {
            manifest: manifest.clone(),
            packages: BTreeSet::from([name, line.package.id.repr.clone()]),
            bins,
            chosen: BTreeSet::new(),
        };
        (call, tree.as_ref().map(Tree::features))
    });
    Ok(calls.collect())
}
