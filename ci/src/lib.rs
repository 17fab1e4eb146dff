//! Tests of the whole project. `ci/test` is the one door: it runs these and everything else.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

/// The folder of the repository.
///
/// # Panics
///
/// Never: this package lies in that folder.
#[must_use]
pub fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().expect("ci is in the root").to_path_buf()
}
