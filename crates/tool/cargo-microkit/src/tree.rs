//! Reads the output of `cargo tree`: the dependencies of a package, with versions and features.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::thread;

use crate::project::cargo_program;
use crate::target::Target;

/// The features of each package, by the package's name, version and source.
pub(crate) type Features = BTreeMap<String, BTreeSet<String>>;

/// A package and its dependencies. If a package occurs several times, only its first occurrence
/// lists its dependencies.
#[derive(Debug)]
pub(crate) struct Tree(Vec<Line>);

#[derive(Debug)]
struct Line {
    /// The number of dependency levels below the root of the tree.
    depth: usize,
    /// The package, as `NAME vVERSION (SOURCE)`.
    package: String,
    /// The features, separated by commas.
    features: String,
}

/// The version and the source of a package.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Version<'a> {
    pub(crate) number: &'a str,
    /// The path, or the URL of a Git repository. `None` for a package of Cargo's registry.
    pub(crate) source: Option<&'a str>,
}

/// A package whose tree is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Root<'a> {
    /// The package, in a form that Cargo's `--package` accepts.
    pub(crate) package: &'a str,
    /// The features to enable, in Cargo's syntax.
    pub(crate) chosen: Vec<&'a str>,
}

impl Tree {
    /// Reads the trees of packages in the workspace with this root manifest. A tree is `None` if
    /// Cargo fails. Cargo runs in `directory`.
    pub(crate) fn read_all(
        directory: &Path,
        manifest: &Path,
        roots: &[Root<'_>],
    ) -> Vec<Option<Self>> {
        thread::scope(|scope| {
            let read = |root| scope.spawn(move || Self::read(directory, manifest, root));
            let asked: Vec<_> = roots.iter().map(read).collect();
            asked
                .into_iter()
                .map(|thread| thread.join().unwrap_or_default())
                .collect()
        })
    }

    fn read(directory: &Path, manifest: &Path, root: &Root<'_>) -> Option<Self> {
        let chosen = root.chosen.iter();
        let output = Command::new(cargo_program())
            .args(["tree", "--target", Target::Fpu.name()])
            .args(["--edges", "normal,build", "--color", "never"])
            .args(["--prefix", "depth", "--format", "{p}\t{f}"])
            .arg("--manifest-path")
            .arg(manifest)
            .args(["--package", root.package])
            .args(chosen.flat_map(|feature| ["--features", feature]))
            .current_dir(directory)
            .output()
            .ok()
            .filter(|output| output.status.success())?;
        Some(Self::parse(&String::from_utf8(output.stdout).ok()?))
    }

    /// Parses lines of a depth, a package, a tab and features. Cargo marks repeated packages with
    /// `(*)`.
    pub(crate) fn parse(tree: &str) -> Self {
        let line = |line: &str| {
            let (package, features) = line.split_once('\t').unwrap_or((line, ""));
            // The name of a package does not begin with a digit.
            let name = package.trim_start_matches(|c: char| c.is_ascii_digit());
            Line {
                depth: package[..package.len() - name.len()].parse().unwrap_or(0),
                package: name.to_owned(),
                features: features.trim_end_matches("(*)").trim().to_owned(),
            }
        };
        Self(tree.lines().map(line).collect())
    }

    /// Returns the features of each package in the tree.
    pub(crate) fn features(&self) -> Features {
        let mut all = Features::new();
        for line in &self.0 {
            let features = all.entry(line.package.clone()).or_default();
            features.insert(line.features.clone());
        }
        all
    }

    /// Returns the features of one package, or `None` if the package is not in the tree.
    pub(crate) fn features_of(&self, name: &str, version: &str) -> Option<BTreeSet<String>> {
        let is_it = |line: &&Line| line.name() == name && line.version().number == version;
        let mut lines = self.0.iter().filter(is_it).peekable();
        lines.peek()?;
        let features = lines.flat_map(|line| line.features.split(','));
        let features = features.filter(|feature| !feature.is_empty());
        Some(features.map(str::to_owned).collect())
    }

    /// Returns the version of each package called `name` that itself depends on a package called
    /// `dependency`.
    pub(crate) fn versions(&self, name: &str, dependency: &str) -> Vec<Version<'_>> {
        let lines = self.0.iter().enumerate();
        let lines = lines.filter(|(number, line)| {
            let mut below = self.0[number + 1..]
                .iter()
                .take_while(|other| other.depth > line.depth);
            line.name() == name
                && below.any(|other| other.depth == line.depth + 1 && other.name() == dependency)
        });
        lines.map(|(_, line)| line.version()).collect()
    }
}

impl Line {
    fn name(&self) -> &str {
        self.package.split(' ').next().unwrap_or_default()
    }

    fn version(&self) -> Version<'_> {
        let rest = self.package.split_once(" v").map_or("", |(_, rest)| rest);
        let (number, source) = rest.split_once(' ').unwrap_or((rest, ""));
        let source = source.trim_start_matches("(proc-macro) ");
        let source = source.strip_prefix('(');
        Version {
            number,
            source: source.and_then(|source| source.strip_suffix(')')),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "0app v1.2.3 (/home/ada/app (1))\tloud\n\
                        1runtime v0.1.0 (https://example.org/a?tag=v1#0123)\talloc,log\n\
                        2abi v0.1.0\t\n\
                        1other v2.0.0\t\n\
                        2macros v0.1.0 (proc-macro) (/home/ada/macros)\t\n\
                        2runtime v0.1.0 (https://example.org/a?tag=v1#0123)\talloc,log (*)\n\
                        2runtime v0.9.0\tstd\n";

    #[test]
    fn a_package_is_found_by_what_it_depends_on() {
        let tree = Tree::parse(TREE);
        let runtime = Version {
            number: "0.1.0",
            source: Some("https://example.org/a?tag=v1#0123"),
        };
        assert_eq!(tree.versions("runtime", "abi"), [runtime]);
        let app = Version {
            number: "1.2.3",
            source: Some("/home/ada/app (1)"),
        };
        assert_eq!(tree.versions("app", "other"), [app]);
        // `abi` is not a direct dependency.
        assert_eq!(tree.versions("app", "abi"), []);
    }

    #[test]
    fn the_features_of_a_package_are_those_of_its_version() {
        let tree = Tree::parse(TREE);
        let check = |name, version, expect: Option<&[&str]>| {
            let expect = expect.map(|all| all.iter().map(|f| (*f).to_owned()).collect());
            assert_eq!(tree.features_of(name, version), expect, "{name} {version}");
        };
        check("runtime", "0.1.0", Some(&["alloc", "log"]));
        check("runtime", "0.9.0", Some(&["std"]));
        check("macros", "0.1.0", Some(&[]));
        check("absent", "0.1.0", None);
        assert_eq!(tree.features().len(), 6);
    }
}
