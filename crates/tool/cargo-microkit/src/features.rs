//! Groups programs that can be built in one call of Cargo.
//!
//! In one call, Cargo builds a shared dependency once, with the features that any of the programs
//! enables. The features of one program would then change the other programs of the call. For
//! example, a PD without an allocator would fail to link beside a PD with an allocator. So two
//! programs share a call only if they enable the same features of every shared dependency.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::project::Bin;
use crate::tree::Features;

/// Programs that Cargo builds in one call.
#[derive(Debug, Clone)]
pub(crate) struct CargoCall {
    /// The root manifest of the workspace.
    pub(crate) manifest: PathBuf,
    /// The arguments of `--package`.
    pub(crate) packages: BTreeSet<String>,
    pub(crate) bins: BTreeSet<Bin>,
    /// The features that `--features` selects for these programs.
    pub(crate) chosen: BTreeSet<String>,
}

impl CargoCall {
    /// Returns the binary of the call with this package ID and name.
    pub(crate) fn bin(&self, package_id: &str, name: &str) -> Option<&Bin> {
        let mut bins = self.bins.iter();
        bins.find(|bin| bin.package_id == package_id && bin.name == name)
    }
}

/// Joins calls that do not change each other's programs. Each call comes with the features of every
/// package that it builds. A call with unknown features stays separate.
pub(crate) fn groups(
    calls: impl IntoIterator<Item = (CargoCall, Option<Features>)>,
) -> Vec<CargoCall> {
    let mut groups: Vec<(CargoCall, Option<Features>)> = Vec::new();
    for (call, features) in calls {
        let group = features.as_ref().and_then(|features| {
            groups.iter_mut().find(|(group, known)| {
                known.as_ref().is_some_and(|known| agree(known, features)) && fits(group, &call)
            })
        });
        match group {
            Some((group, known)) => {
                group.packages.extend(call.packages);
                group.bins.extend(call.bins);
                group.chosen.extend(call.chosen);
                if let (Some(known), Some(features)) = (known, features) {
                    known.extend(features);
                }
            }
            None => groups.push((call, features)),
        }
    }
    groups.into_iter().map(|(call, _)| call).collect()
}

fn agree(a: &Features, b: &Features) -> bool {
    a.iter()
        .all(|(package, features)| b.get(package).is_none_or(|other| other == features))
}

/// Returns whether Cargo can build two calls as one. Binaries of the same name would overwrite each
/// other.
fn fits(a: &CargoCall, b: &CargoCall) -> bool {
    let has = |bin: &Bin| a.bins.iter().any(|other| other.name == bin.name);
    a.manifest == b.manifest && !b.bins.iter().any(has)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Tree;

    fn call(name: &str, package: &str) -> CargoCall {
        let bin = Bin {
            package_id: package.to_owned(),
            name: name.to_owned(),
            dependents: BTreeSet::new(),
        };
        CargoCall {
            manifest: "Cargo.toml".into(),
            packages: BTreeSet::from([package.to_owned()]),
            bins: BTreeSet::from([bin]),
            chosen: BTreeSet::new(),
        }
    }

    #[track_caller]
    fn expect_groups(calls: Vec<(CargoCall, Option<&str>)>, expect: &[&[&str]]) {
        let calls = calls.into_iter().map(|(call, tree)| {
            let features = tree.map(|tree| Tree::parse(tree).features());
            (call, features)
        });
        let groups = groups(calls);
        let names: Vec<Vec<&str>> = groups
            .iter()
            .map(|group| group.bins.iter().map(|bin| bin.name.as_str()).collect())
            .collect();
        assert_eq!(names, expect);
    }

    #[track_caller]
    fn check(programs: &[(&str, Option<&str>)], expect: &[&[&str]]) {
        let calls = programs
            .iter()
            .map(|&(name, tree)| (call(name, name), tree));
        expect_groups(calls.collect(), expect);
    }

    #[test]
    fn programs_with_the_same_features_are_built_together() {
        let a = "0a\t\n1shared\talloc\n";
        let b = "0b\t\n1shared\talloc (*)\n1other\tstd\n";
        check(&[("a", Some(a)), ("b", Some(b))], &[&["a", "b"]]);
    }

    #[test]
    fn a_program_with_more_features_of_a_dependency_is_built_alone() {
        let plain = "0shared\t\n";
        let more = "0shared\talloc\n";
        check(
            &[("a", Some(plain)), ("b", Some(more)), ("c", Some(plain))],
            &[&["a", "c"], &["b"]],
        );
    }

    #[test]
    fn a_group_has_the_features_of_all_its_programs() {
        let (a, b, c) = ("0x\t1\n", "0y\t1\n", "0x\t1\n0y\t2\n");
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

    #[test]
    fn binaries_of_the_same_name_or_in_two_workspaces_are_built_apart() {
        let same = vec![(call("a", "1"), Some("")), (call("a", "2"), Some(""))];
        expect_groups(same, &[&["a"], &["a"]]);
        let elsewhere = CargoCall {
            manifest: "elsewhere/Cargo.toml".into(),
            ..call("b", "2")
        };
        let two = vec![(call("a", "1"), Some("")), (elsewhere, Some(""))];
        expect_groups(two, &[&["a"], &["b"]]);
    }
}
