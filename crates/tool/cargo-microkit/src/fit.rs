//! Checks that the version of the runtime in a program fits the version of this tool.

use std::path::Path;

use cargo_metadata::semver;
use miette::{Report, Result, miette};

use crate::git_source::{GitSource, install_command};
use crate::tree::{Tree, Version};

/// The package of the runtime. rust-sel4 has another package of this name.
const RUNTIME: &str = "sel4-microkit";

/// Only this project's runtime depends on this package.
const MARK: &str = "microkit-abi";

/// The version of this tool.
const TOOL: &str = env!("CARGO_PKG_VERSION");

/// Checks every version of the runtime in the dependencies of the package `package`.
///
/// # Errors
///
/// Fails if a version is not compatible with the version of this tool by Cargo's rule.
pub(crate) fn check(package: &str, tree: &Tree) -> Result<()> {
    let runtimes = tree.versions(RUNTIME, MARK);
    match runtimes.iter().find(|runtime| !fit(runtime.number, TOOL)) {
        Some(runtime) => Err(report(package, runtime)),
        None => Ok(()),
    }
}

/// Returns whether two versions are compatible by Cargo's rule: the first number that is not 0 is
/// the same. Returns `true` for an invalid version, because Cargo itself reports it.
fn fit(a: &str, b: &str) -> bool {
    let parse = |text| {
        let version = semver::Version::parse(text).ok()?;
        Some(match (version.major, version.minor) {
            (0, 0) => (0, 0, version.patch),
            (0, minor) => (0, minor, 0),
            (major, _) => (major, 0, 0),
        })
    };
    match (parse(a), parse(b)) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    }
}

fn report(package: &str, runtime: &Version<'_>) -> Report {
    let Version { number, source } = runtime;
    let from = source.map(|source| format!(" of `{}`", source.split('#').next().unwrap_or(source)));
    let tool = install(number, *source);
    let line = format!(
        "change the line `{RUNTIME} = …` in the Cargo.toml of `{package}` (or of the dependency \
         that needs `{RUNTIME}`) to version {}",
        requirement(TOOL)
    );
    let is_newer = semver::Version::parse(number).ok() > semver::Version::parse(TOOL).ok();
    miette!(
        help = match is_newer {
            true => format!("install the tool of this version: `{tool}`; or {line}"),
            false => format!("{line}; or install the tool of the old version: `{tool}`"),
        },
        "`cargo microkit` has version {TOOL}, which does not fit `{RUNTIME}` {number}{}, the \
         runtime of the package `{package}`",
        from.unwrap_or_default()
    )
}

/// Returns the command that installs the tool from the source of a runtime.
fn install(number: &str, source: Option<&str>) -> String {
    let version = requirement(number);
    let Some(source) = source else {
        return format!("cargo install --locked cargo-microkit --version ^{version}");
    };
    if source.contains("://") {
        let GitSource { url, reference, .. } = GitSource::parse(source);
        let reference = reference.as_ref();
        return install_command(url, reference.map(|(kind, name)| (*kind, name.as_ref())));
    }
    let place = Path::new(source).join("../../tool/cargo-microkit");
    match place.canonicalize() {
        Ok(place) => format!("cargo install --locked --path {}", place.display()),
        Err(_) => format!("cargo install --locked cargo-microkit --version ^{version}"),
    }
}

/// Returns the part of a version that compatible versions share.
fn requirement(version: &str) -> &str {
    let zeros = version.split('.').take(2).take_while(|part| *part == "0");
    let end = version.match_indices('.').nth(zeros.count());
    end.map_or(version, |(end, _)| &version[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_fit_if_their_first_number_above_0_is_the_same() {
        let check = |a, b, expect| {
            assert_eq!(fit(a, b), expect, "{a} {b}");
            assert_eq!(fit(b, a), expect, "{b} {a}");
        };
        check("0.1.0", "0.1.9", true);
        check("0.1.0", "0.2.0", false);
        check("0.0.1", "0.0.2", false);
        check("1.0.0", "1.7.3", true);
        check("1.0.0", "0.1.0", false);
        check("1.0.0", "2.0.0", false);
        check("0.1.0-rc.1", "0.1.0", true);
        check("nonsense", "0.1.0", true);
    }

    #[test]
    fn the_command_installs_the_tool_from_the_source_of_the_runtime() {
        let check = |source, expect| assert_eq!(install("0.2.1", source), expect);
        check(None, "cargo install --locked cargo-microkit --version ^0.2");
        check(
            Some("https://example.org/a?tag=v0.2.1#0123abcd"),
            "cargo install --locked --git https://example.org/a --tag v0.2.1 cargo-microkit",
        );
        check(
            Some("ssh://git@example.org/a#0123abcd"),
            "cargo install --locked --git ssh://git@example.org/a cargo-microkit",
        );
        check(
            Some("/nowhere"),
            "cargo install --locked cargo-microkit --version ^0.2",
        );
        let tool = env!("CARGO_MANIFEST_DIR");
        let runtime = format!("{tool}/../../runtime/sel4-microkit");
        check(
            Some(&runtime),
            &format!("cargo install --locked --path {tool}"),
        );
    }

    #[test]
    fn a_requirement_has_the_numbers_that_must_be_the_same() {
        let check = |version, expect| assert_eq!(requirement(version), expect);
        check("0.2.1", "0.2");
        check("0.0.3", "0.0.3");
        check("3.4.5", "3");
    }

    #[test]
    fn only_a_runtime_of_this_project_is_checked() {
        let other =
            "0pd v1.0.0\t\n1sel4-microkit v9.0.0 (https://example.org/a)\t\n2sel4 v9.0.0\t\n";
        check("pd", &Tree::parse(other)).expect("it is not ours");
        let own = "0pd v1.0.0\t\n1sel4-microkit v9.0.0\t\n2microkit-abi v9.0.0\t\n";
        let error = check("pd", &Tree::parse(own)).expect_err("it is too new");
        assert!(
            error.to_string().contains("`sel4-microkit` 9.0.0,"),
            "{error}"
        );
    }
}
