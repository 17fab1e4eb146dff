//! Where this program keeps what belongs to no project: SDKs, and the model kernel.

use std::path::PathBuf;

use miette::{Result, miette};

/// Names the folder for everything, in place of the operating system's own.
const VARIABLE: &str = "CARGO_MICROKIT_HOME";

/// Returns the folder of what the user has put there.
pub(crate) fn data() -> Result<PathBuf> {
    folder(directories::BaseDirs::data_dir)
}

/// Returns the folder of what can be made again.
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
                    "there is no home folder for SDKs and the model kernel"
                )
            }),
    }
}
