//! The source of a new package's dependencies: a clone of this project, or a Git repository.

use std::fs;
use std::path::{Path, PathBuf};

use miette::{Result, miette};
use percent_encoding::percent_decode_str;

use crate::git_source::{GitSource, install_command};

/// Where the dependencies of a new package come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Runtime {
    /// A clone of this project.
    Folder(PathBuf),
    /// A Git repository. Without a commit, Cargo selects the newest.
    Git { url: String, at: Option<Commit> },
}

/// A commit, in the forms that a dependency can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Commit {
    Tag(String),
    Rev(String),
}

impl Runtime {
    /// Returns the source that `argument` names. Without an argument, returns the source that this
    /// program was installed from, or else the clone that it was built from.
    ///
    /// # Errors
    ///
    /// Fails if the argument is not a source, or if no source is known.
    pub(crate) fn find(argument: Option<&str>) -> Result<Self> {
        if let Some(argument) = argument {
            return Self::parse(argument);
        }
        let program = std::env::current_exe().and_then(|path| path.canonicalize());
        let recorded = program.ok().and_then(|path| Self::recorded(&path));
        recorded.or_else(Self::built_from).ok_or_else(|| {
            miette!(
                help = "name the source: `--runtime FOLDER` for a clone of this project, or \
                        `--runtime URL#TAG` for a Git repository",
                "the source of the runtime is not known: neither Cargo's record of the installation \
                 of this program nor this program itself names a source that still exists"
            )
        })
    }

    /// Returns the dependency on the crate in the folder `path` of this project, as part of an
    /// inline table in TOML.
    pub(crate) fn dependency(&self, path: &str) -> String {
        match self {
            Self::Folder(folder) => {
                format!(
                    "path = {}",
                    quoted(&folder.join(path).display().to_string())
                )
            }
            Self::Git { url, at } => {
                let at = at.as_ref().map_or(String::new(), |at| {
                    let (key, value) = at.pair();
                    format!(", {key} = {}", quoted(value))
                });
                format!("git = {}{at}", quoted(url))
            }
        }
    }

    /// Returns the commands that install this program on a machine for CI.
    pub(crate) fn installation(&self) -> String {
        match self {
            // A machine for CI does not have the clone.
            Self::Folder(_) => "echo 'Cargo.toml names a folder of another machine. Write git \
                                dependencies there, and here: cargo install --locked --git URL \
                                cargo-microkit'; exit 1"
                .to_owned(),
            Self::Git { url, at } => install_command(url, at.as_ref().map(Commit::pair)),
        }
    }

    /// Reads the argument `--runtime`.
    fn parse(argument: &str) -> Result<Self> {
        let folder = Path::new(argument);
        if folder.is_dir() {
            return match folder.canonicalize() {
                Ok(folder) if is_clone(&folder) => Ok(Self::Folder(folder)),
                _ => Err(miette!(
                    help = "name the root folder of a clone. A Git repository without a work tree \
                            has the form `file:///FOLDER`",
                    "`{argument}` is not a clone of this project: it lacks `{RUNTIME}`"
                )),
            };
        }
        let (url, at) = match argument.split_once('#') {
            Some((url, at)) => (url, Some(at)),
            None => (argument, None),
        };
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        let has_scheme = url.split_once("://").is_some_and(|(scheme, rest)| {
            ["file", "git", "http", "https", "ssh"].contains(&scheme) && !rest.is_empty()
        });
        if !has_scheme || !is_plain(argument) || at == Some("") {
            return Err(miette!(
                help = "name the folder of a clone, or a URL with an optional tag or commit: \
                        `https://HOST/REPOSITORY#v0.1.0`. For SSH, write \
                        `ssh://git@HOST/REPOSITORY`",
                "`{argument}` is neither a folder nor the URL of a Git repository"
            ));
        }
        Ok(Self::Git {
            url: url.to_owned(),
            at: at.map(Commit::new),
        })
    }

    /// Returns the source in Cargo's record of the installation of `program`.
    ///
    /// The record is beside the folder `bin` that contains the program. This is the case for
    /// Cargo's own home folder and for `cargo install --root`.
    fn recorded(program: &Path) -> Option<Self> {
        let root = program.parent()?.parent()?;
        let name = program.file_name()?.to_str()?;
        let installs = installs(root).into_iter();
        let mut sources = installs.filter_map(|(package, programs)| {
            let source = package.strip_prefix("cargo-microkit ")?;
            let (_version, source) = source.split_once(" (")?;
            let has_program = programs.iter().any(|program| program == name);
            has_program.then(|| Self::of_cargo(source.strip_suffix(')')?))?
        });
        sources.next()
    }

    /// Reads a source as Cargo writes it.
    fn of_cargo(source: &str) -> Option<Self> {
        if let Some(path) = source.strip_prefix("path+file://") {
            let path = path.split_once('#').map_or(path, |(path, _)| path);
            let path = percent_decode_str(path).decode_utf8().ok()?;
            return clone_of(Path::new(path.as_ref())).map(Self::Folder);
        }
        let source = GitSource::parse(source.strip_prefix("git+")?);
        // A branch moves, so the commit takes its place.
        let at = match source.reference {
            Some(("tag", tag)) => Commit::Tag(tag.into_owned()),
            _ => Commit::Rev(source.commit?.to_owned()),
        };
        Some(Self::Git {
            url: source.url.to_owned(),
            at: Some(at),
        })
    }

    /// Returns the clone that this program was built from, if it still exists.
    fn built_from() -> Option<Self> {
        let clone = clone_of(Path::new(env!("CARGO_MANIFEST_DIR")))?;
        // Cargo's own checkout of a Git repository has this file. Cargo may delete such a checkout
        // at any time.
        let is_of_cargo = clone.join(".cargo-ok").exists();
        (!is_of_cargo).then_some(Self::Folder(clone))
    }
}

impl Commit {
    /// Returns the tag or the commit that `text` names. Git's hashes have 7 to 40 hexadecimal
    /// digits.
    fn new(text: &str) -> Self {
        let is_hash =
            (7..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match is_hash {
            true => Self::Rev(text.to_owned()),
            false => Self::Tag(text.to_owned()),
        }
    }

    /// Returns the key and the value of this commit in a dependency.
    fn pair(&self) -> (&'static str, &str) {
        match self {
            Self::Tag(tag) => ("tag", tag),
            Self::Rev(rev) => ("rev", rev),
        }
    }
}

/// A folder that every clone of this project has.
const RUNTIME: &str = "crates/runtime/sel4-microkit";

fn is_clone(folder: &Path) -> bool {
    folder.join(RUNTIME).join("Cargo.toml").is_file()
}

/// Returns the clone that contains the package of this program.
fn clone_of(package: &Path) -> Option<PathBuf> {
    let clone = package.ancestors().nth(3)?;
    is_clone(clone).then(|| clone.to_path_buf())
}

/// Returns the packages in Cargo's record of installations, each with its programs. Cargo writes
/// the record in two forms.
fn installs(root: &Path) -> Vec<(String, Vec<String>)> {
    let read = |file: &str| fs::read_to_string(root.join(file)).unwrap_or_default();
    let names = |list: &serde_json::Value| {
        let names = list.as_array().into_iter().flatten();
        names
            .filter_map(|name| Some(name.as_str()?.to_owned()))
            .collect()
    };
    let json: serde_json::Value = serde_json::from_str(&read(".crates2.json")).unwrap_or_default();
    if let Some(installs) = json["installs"].as_object() {
        let installs = installs.iter();
        return installs
            .map(|(package, install)| (package.clone(), names(&install["bins"])))
            .collect();
    }
    let toml: serde_json::Value = toml::from_str(&read(".crates.toml")).unwrap_or_default();
    let installs = toml["v1"].as_object().into_iter().flatten();
    installs
        .map(|(package, bins)| (package.clone(), names(bins)))
        .collect()
}

/// Returns `text` as a string of TOML.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "0123456789abcdef0123456789abcdef01234567";

    fn clone() -> PathBuf {
        clone_of(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("tests run in a clone")
    }

    #[test]
    fn an_argument_is_a_clone_or_a_url_with_a_tag_or_a_commit() {
        let check = |argument: &str, dependency: &str| {
            let runtime = Runtime::parse(argument).expect("a source");
            assert_eq!(runtime.dependency("crates/x"), dependency);
        };
        let root = clone();
        check(
            root.to_str().expect("UTF-8"),
            &format!("path = \"{}/crates/x\"", root.display()),
        );
        check("https://a.example/b", "git = \"https://a.example/b\"");
        check("file:///b.git#v1", "git = \"file:///b.git\", tag = \"v1\"");
        check(
            "ssh://git@a.example/b#0123abc",
            "git = \"ssh://git@a.example/b\", rev = \"0123abc\"",
        );
        for wrong in [
            env!("CARGO_MANIFEST_DIR"),
            "git@a.example:b",
            "https://",
            "https://a.example/b#",
            "https://a.example/b c",
            "ftp://a.example/b",
            "no-such-folder",
            "",
        ] {
            assert!(Runtime::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_record_of_cargo_is_read_for_the_program_beside_it() {
        let root = clone();
        let path = format!("path+file://{}/crates/tool/cargo-microkit", root.display());
        let git = |at| Runtime::Git {
            url: "https://a.example/b".into(),
            at: Some(at),
        };
        let cases = [
            (path, Some(Runtime::Folder(root))),
            (
                "path+file:///deleted/crates/tool/cargo-microkit".into(),
                None,
            ),
            ("registry+https://a.example".into(), None),
            (
                format!("git+https://a.example/b#{HASH}"),
                Some(git(Commit::Rev(HASH.into()))),
            ),
            (
                format!("git+https://a.example/b?branch=main#{HASH}"),
                Some(git(Commit::Rev(HASH.into()))),
            ),
            (
                format!("git+https://a.example/b?tag=v0.1%2B1#{HASH}"),
                Some(git(Commit::Tag("v0.1+1".into()))),
            ),
        ];
        for (source, expect) in cases {
            let home = tempfile::tempdir().expect("a temporary directory");
            let [program, other] =
                ["cargo-microkit", "other"].map(|name| home.path().join("bin").join(name));
            assert_eq!(Runtime::recorded(&program), None, "no record");
            let package = format!("cargo-microkit 0.1.0 ({source})");
            let toml = format!("[v1]\n\"{package}\" = [\"cargo-microkit\"]\n");
            fs::write(home.path().join(".crates.toml"), toml).expect("the record");
            assert_eq!(Runtime::recorded(&program), expect, "{source}");
            let json =
                format!("{{\"installs\": {{\"{package}\": {{\"bins\": [\"cargo-microkit\"]}}}}}}");
            fs::write(home.path().join(".crates2.json"), json).expect("the record");
            assert_eq!(Runtime::recorded(&program), expect, "{source}");
            assert_eq!(Runtime::recorded(&other), None, "{source}");
        }
    }

    #[test]
    fn a_path_is_quoted_for_toml() {
        let runtime = Runtime::Folder("/a \"b\"".into());
        assert_eq!(runtime.dependency("crates/x"), "path = '/a \"b\"/crates/x'");
    }
}
