//! Resolves the features of `--features`: enables each feature for the packages that have it.

use std::collections::{BTreeMap, BTreeSet};

use miette::{Result, miette};

use crate::nearest::{advice, quoted};
use crate::project::{Project, Traits};

/// The features chosen for each package, in Cargo's syntax, by package ID.
pub(crate) type Chosen = BTreeMap<String, BTreeSet<String>>;

/// Assigns each feature of `words` to the packages in `package_ids` that have this feature.
///
/// # Errors
///
/// Fails if a feature does not exist in any of these packages.
pub(crate) fn choose(
    project: &Project,
    package_ids: &BTreeSet<&str>,
    words: &[String],
) -> Result<Chosen> {
    let packages = package_ids.iter().filter_map(|id| project.traits(id));
    choose_among(&packages.collect::<Vec<_>>(), words)
}

/// Returns the features of `words` that the packages of the workspace have, in Cargo's syntax.
pub(crate) fn of_members(project: &Project, words: &[String]) -> Vec<String> {
    let packages = project.packages().iter();
    let traits: Vec<_> = packages
        .filter_map(|package| project.traits(&package.id.repr))
        .collect();
    let known = split(words).flat_map(|word| traits.iter().filter_map(|t| of_package(t, word)));
    known.collect()
}

fn choose_among(packages: &[Traits<'_>], words: &[String]) -> Result<Chosen> {
    let mut chosen = Chosen::new();
    for word in split(words) {
        let mut is_known = false;
        for package in packages {
            if let Some(feature) = of_package(package, word) {
                is_known = true;
                let features = chosen.entry(package.id.to_owned()).or_default();
                features.insert(feature);
            }
        }
        if !is_known {
            let all = packages.iter().flat_map(|package| &package.features);
            let all: BTreeSet<_> = all.copied().collect();
            let names = packages.iter().map(|package| package.name);
            return Err(miette!(
                help = advice(word, &all.into_iter().collect::<Vec<_>>()),
                "no program of the system has the feature `{word}`; looked in the packages {}",
                quoted(names)
            ));
        }
    }
    Ok(chosen)
}

/// Splits features in Cargo's syntax: `-F a,b -F 'c d'`.
fn split(words: &[String]) -> impl Iterator<Item = &str> {
    let words = words.iter().flat_map(|word| word.split([',', ' ']));
    words.map(str::trim).filter(|word| !word.is_empty())
}

/// Returns a feature of a package in Cargo's syntax, or `None` if the package does not have the
/// feature.
fn of_package(package: &Traits<'_>, word: &str) -> Option<String> {
    let has = |feature: &str| package.features.contains(&feature);
    // With the package name as prefix, Cargo does not enable the feature in other packages of the
    // same call.
    let own = |feature: &str| format!("{}/{feature}", package.name);
    let Some((of, feature)) = word.split_once('/') else {
        return has(word).then(|| own(word));
    };
    if of == package.name {
        return has(feature).then(|| own(feature));
    }
    // Cargo itself checks whether the dependency has the feature.
    let dependency = of.trim_end_matches('?');
    let is_dependency = package.dependencies.contains(&dependency);
    is_dependency.then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packages() -> [Traits<'static>; 2] {
        let one = Traits {
            id: "1",
            name: "one",
            features: vec!["loud", "fast"],
            dependencies: vec![],
        };
        let two = Traits {
            id: "2",
            name: "two",
            features: vec!["loud"],
            dependencies: vec!["log"],
        };
        [one, two]
    }

    #[track_caller]
    fn check(words: &[&str], expect: &[(&str, &[&str])]) {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        let chosen = choose_among(&packages(), &words).expect("known features");
        let chosen: Vec<(&str, Vec<&str>)> = chosen
            .iter()
            .map(|(id, features)| (id.as_str(), features.iter().map(String::as_str).collect()))
            .collect();
        let expect: Vec<_> = expect.iter().map(|(id, all)| (*id, all.to_vec())).collect();
        assert_eq!(chosen, expect, "{words:?}");
    }

    #[test]
    fn a_feature_is_enabled_for_each_package_that_has_it() {
        check(&[], &[]);
        check(&["loud"], &[("1", &["one/loud"]), ("2", &["two/loud"])]);
        check(&["fast"], &[("1", &["one/fast"])]);
        check(&["two/loud"], &[("2", &["two/loud"])]);
        check(&["log/std"], &[("2", &["log/std"])]);
        check(&["log?/std"], &[("2", &["log?/std"])]);
        let both: &[(&str, &[&str])] = &[("1", &["one/fast", "one/loud"]), ("2", &["two/loud"])];
        check(&["loud,fast"], both);
        check(&["loud fast", ""], both);
        check(&["loud", "fast,"], both);
    }

    #[test]
    fn an_unknown_feature_is_an_error_that_names_it() {
        let check = |word: &str, part: &str| {
            let words = ["loud".to_owned(), word.to_owned()];
            let error = choose_among(&packages(), &words).expect_err(word);
            let help = error.help().map(|h| h.to_string()).unwrap_or_default();
            let said = format!("{error} {help}");
            assert!(
                said.contains(part) && said.contains(&format!("`{word}`")),
                "{said}"
            );
        };
        check("lowd", "did you mean `loud`?");
        check("two/fast", "the packages `one`, `two`");
        check("three/loud", "the packages `one`, `two`");
    }
}
