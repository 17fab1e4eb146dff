//! Versions of SDKs, from their files VERSION.

use cargo_metadata::semver;
use microkit_abi::MICROKIT_VERSION;

/// The SDK versions on which this project's tests run every system.
pub(super) const TESTED: [&str; 1] = [MICROKIT_VERSION];

/// Returns whether a version can be part of a folder's name.
pub(super) fn is_sound(version: &str) -> bool {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || ".-+_".contains(c);
    version.starts_with(|c: char| c.is_ascii_alphanumeric()) && version.chars().all(is_fine)
}

/// Returns the version to use if the user does not select a version: a tested version, or else the
/// latest version.
pub(super) fn preferred<'a>(versions: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    versions.into_iter().max_by_key(|version| {
        let number = semver::Version::parse(version).ok();
        (TESTED.contains(version), number, *version)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tested_version_is_preferred_then_the_latest() {
        let check = |versions: &[&str], expect| {
            assert_eq!(preferred(versions.iter().copied()), expect, "{versions:?}");
        };
        check(&[], None);
        check(
            &["2.3.1", MICROKIT_VERSION, "2.4.0"],
            Some(MICROKIT_VERSION),
        );
        check(&["2.9.0", "2.10.0", "2.4.0-dev"], Some("2.10.0"));
        check(&["2.4.0-dev", "2.4.0"], Some("2.4.0"));
        check(&["main", "2.4.0-dev"], Some("2.4.0-dev"));
        check(&["main"], Some("main"));
    }

    #[test]
    fn a_version_must_not_be_a_path() {
        for (version, expect) in [
            ("2.3.1", true),
            ("2.4.0-dev+7f3a", true),
            ("main", true),
            ("", false),
            ("..", false),
            ("../2.3.0", false),
            ("2.3 0", false),
            ("-2", false),
        ] {
            assert_eq!(is_sound(version), expect, "{version}");
        }
    }
}
