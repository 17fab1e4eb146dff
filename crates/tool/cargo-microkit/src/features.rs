//! Groups programs that can be built in one call of Cargo.
//!
//! In one call, Cargo builds a shared dependency once, with the features that any of the programs
//! enables. The features of one program would then change the other programs of the call. For
//! example, a PD without an allocator would fail to link beside a PD with an allocator. So two
//! programs share a call only if they enable the same features of every shared dependency.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::thread;

use crate::chosen::Chosen;
use crate::project::{Bin, Project, cargo_program};
use crate::target::Target;

/// The features of each package that a program depends on, in the format of `cargo tree`.
type Features = BTreeMap<String, BTreeSet<String>>;

/// Programs that are built in one call of Cargo.
pub(crate) struct CargoCall {
    pub(crate) bins: BTreeSet<Bin>,
    /// The features that `--features` selects for these programs.
    pub(crate) chosen: BTreeSet<String>,
}

/// Splits programs into groups. Cargo is called once for each group. `chosen` holds the features
/// that `--features` selects.
pub(crate) fn groups(project: &Project, bins: &BTreeSet<Bin>, chosen: &Chosen) -> Vec<CargoCall> {
    let mut packages: BTreeMap<&str, BTreeSet<Bin>> = BTreeMap::new();
    for bin in bins {
        packages
            .entry(&bin.package_id)
            .or_default()
            .insert(bin.clone());
    }
    let groups = match packages.len() {
        0 | 1 => packages.into_values().collect(),
        _ => {
            let features = features_of_all(project, packages.keys().copied(), chosen);
            group(packages.into_values().zip(features))
        }
    };
    let groups = groups.into_iter().map(|bins| {
        let chosen = bins.iter().filter_map(|bin| chosen.get(&bin.package_id));
        let chosen = chosen.flatten().cloned().collect();
        CargoCall { bins, chosen }
    });
    groups.collect()
}

fn features_of_all<'a>(
    project: &Project,
    package_ids: impl Iterator<Item = &'a str>,
    chosen: &Chosen,
) -> Vec<Option<Features>> {
    thread::scope(|scope| {
        let asked: Vec<_> = package_ids
            .map(|package_id| {
                scope.spawn(move || features_of(project, package_id, chosen.get(package_id)))
            })
            .collect();
        asked
            .into_iter()
            .map(|thread| thread.join().unwrap_or_default())
            .collect()
    })
}

/// Puts each set into the first group with the same features. A set with unknown features gets its
/// own group.
fn group(sets: impl IntoIterator<Item = (BTreeSet<Bin>, Option<Features>)>) -> Vec<BTreeSet<Bin>> {
    let mut groups: Vec<(BTreeSet<Bin>, Option<Features>)> = Vec::new();
    for (bins, features) in sets {
        let group = features.as_ref().and_then(|features| {
            groups
                .iter_mut()
                .find(|(_, other)| other.as_ref().is_some_and(|other| agree(other, features)))
        });
        match group {
            Some((group, known)) => {
                group.extend(bins);
                if let (Some(known), Some(features)) = (known, features) {
                    known.extend(features);
                }
            }
            None => groups.push((bins, features)),
        }
    }
    groups.into_iter().map(|(bins, _)| bins).collect()
}

fn agree(a: &Features, b: &Features) -> bool {
    a.iter()
        .all(|(package, features)| b.get(package).is_none_or(|other| other == features))
}

/// Runs `cargo tree` to get the features of a package and its dependencies. Returns `None` if Cargo
/// fails.
fn features_of(
    project: &Project,
    package_id: &str,
    chosen: Option<&BTreeSet<String>>,
) -> Option<Features> {
    let chosen = chosen.into_iter().flatten();
    let output = Command::new(cargo_program())
        .args(["tree", "--target", Target::Fpu.name()])
        .args(["--edges", "normal,build"])
        .args(["--prefix", "none", "--format", "{p}\t{f}"])
        .arg("--manifest-path")
        .arg(project.root_manifest())
        .args(["--package", package_id])
        .args(chosen.flat_map(|feature| ["--features", feature]))
        .current_dir(project.directory())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    Some(parse(&String::from_utf8(output.stdout).ok()?))
}

/// Parses lines of a package, a tab and features. Cargo marks repeated packages with `(*)`.
fn parse(tree: &str) -> Features {
    let mut all = Features::new();
    for line in tree.lines() {
        let (package, features) = line.split_once('\t').unwrap_or((line, ""));
        let features = features.trim_end_matches("(*)").trim();
        all.entry(package.to_string())
            .or_default()
            .insert(features.to_string());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bin(name: &str) -> BTreeSet<Bin> {
        let (package_id, name) = (name.to_string(), name.to_string());
        BTreeSet::from([Bin { package_id, name }])
    }

    #[track_caller]
    fn check(programs: &[(&str, Option<&str>)], expect: &[&[&str]]) {
        let sets = programs
            .iter()
            .map(|&(name, tree)| (bin(name), tree.map(parse)));
        let groups = group(sets);
        let names: Vec<Vec<&str>> = groups
            .iter()
            .map(|group| group.iter().map(|bin| bin.name.as_str()).collect())
            .collect();
        assert_eq!(names, expect);
    }

    #[test]
    fn programs_with_the_same_features_are_built_together() {
        let a = "a\t\nshared\talloc\n";
        let b = "b\t\nshared\talloc (*)\nother\tstd\n";
        check(&[("a", Some(a)), ("b", Some(b))], &[&["a", "b"]]);
    }

    #[test]
    fn a_program_with_more_features_of_a_dependency_is_built_alone() {
        let plain = "shared\t\n";
        let more = "shared\talloc\n";
        check(
            &[("a", Some(plain)), ("b", Some(more)), ("c", Some(plain))],
            &[&["a", "c"], &["b"]],
        );
    }

    #[test]
    fn a_group_has_the_features_of_all_its_programs() {
        let (a, b, c) = ("x\t1\n", "y\t1\n", "x\t1\ny\t2\n");
        check(
            &[("a", Some(a)), ("b", Some(b)), ("c", Some(c))],
            &[&["a", "b"], &["c"]],
        );
    }

    #[test]
    fn a_program_with_unknown_features_is_built_alone() {
        check(
            &[("a", None), ("b", None), ("c", Some(""))],
            &[&["a"], &["b"], &["c"]],
        );
    }
}
