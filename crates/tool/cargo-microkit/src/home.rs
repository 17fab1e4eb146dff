//! The folders for data that does not belong to a project: SDKs, and the model kernel.

use std::path::PathBuf;

use miette::{Result, miette};

/// The environment variable that names one folder for all data, instead of the operating system's
/// folders.
const VARIABLE: &str = "CARGO_MICROKIT_HOME";

/// Returns the folder for data that the user has added, such as SDKs.
pub(crate) fn data() -> Result<PathBuf> {
    folder(directories::BaseDirs::data_dir)
}

/// Returns the folder for data that can be rebuilt.
pub(crate) fn cache() -> Result<PathBuf> {
    folder(directories::BaseDirs::cache_dir)
}

fn folder(of: impl Fn(&directories::BaseDirs) -> &std::path::Path) -> Result<PathBuf> {
    match std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
        Some(home) => {
            std::path::absolute(&home).map_err(|e| crate::files::cannot("find", home.as_ref(), &e))
        }
        None => directories::BaseDirs::new()
            .map(|base| of(&base).join("cargo-microkit"))
            .ok_or_else(|| {
                miette!(
                    help = "set HOME, or CARGO_MICROKIT_HOME to a folder for cargo-microkit",
                    "no home folder was found for SDKs and the model kernel"
                )
            }),
    }
}
