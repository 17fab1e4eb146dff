//! Tests of the whole project. `ci/test` runs these tests and all other checks.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

/// Returns the root folder of the repository.
///
/// # Panics
///
/// Never panics, because this package is in a subfolder of the root.
#[must_use]
pub fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().expect("ci is in the root").to_path_buf()
}
