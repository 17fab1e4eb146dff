//! The default release profile for projects that do not define a release profile. Release code of a
//! PD must be small, and is not debugged.

use std::path::Path;

/// The release profile for projects that define none, as arguments of Cargo's `--config`.
const RELEASE: [&str; 4] = [
    "profile.release.lto=\"fat\"",
    "profile.release.codegen-units=1",
    "profile.release.panic=\"abort\"",
    "profile.release.debug=\"line-tables-only\"",
];

/// Disables automatic vectorisation. The target has `strict-align`: the compiler loads a vector of
/// unknown alignment word by word. This costs more than the vector instructions save.
///
/// Cargo appends these flags to the `build.rustflags` of a project's configuration. Cargo ignores
/// all of these flags if `RUSTFLAGS` or flags for the target are set.
const SCALAR: &str = r#"build.rustflags=["-Cno-vectorize-loops", "-Cno-vectorize-slp"]"#;

/// Returns Cargo's arguments for `profile`, in the workspace whose root manifest is at `root`.
pub(crate) fn arguments(profile: &str, root: &Path) -> Vec<&'static str> {
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    let is_ours = profile == "release" && !has_release_profile(&manifest);
    let release = RELEASE.into_iter().filter(|_| is_ours);
    release
        .chain([SCALAR])
        .flat_map(|value| ["--config", value])
        .collect()
}

/// Returns whether a manifest sets anything in `profile.release`, as a table or by dotted keys.
fn has_release_profile(manifest: &str) -> bool {
    manifest.lines().any(|line| {
        let line: String = line.chars().filter(|c| !c.is_whitespace()).collect();
        line.starts_with("[profile.release]")
            || line.starts_with("[profile.release.")
            || line.starts_with("profile.release")
            || line.starts_with("[profile]")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_keeps_its_own_release_profile() {
        let check = |manifest: &str, profile: &str, expect: bool| {
            let root = tempfile::tempdir().expect("a temporary directory");
            std::fs::write(root.path().join("Cargo.toml"), manifest).expect("the manifest");
            let arguments = arguments(profile, root.path());
            assert_eq!(arguments.contains(&RELEASE[0]), expect, "{manifest}");
            assert!(arguments.contains(&SCALAR));
        };
        check("[package]\nname = \"a\"\n", "release", true);
        check("[package]\nname = \"a\"\n", "dev", false);
        check("[profile.dev]\nopt-level = 1\n", "release", true);
        check("[profile.release]\nlto = false\n", "release", false);
        check("[ profile.release ]\nlto = false\n", "release", false);
        check("profile.release.lto = false\n", "release", false);
        check(
            "[profile.release.package.a]\nopt-level = 1\n",
            "release",
            false,
        );
    }
}
