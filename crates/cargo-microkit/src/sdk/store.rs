//! The SDKs that are kept: added once, found ever after.

use std::path::{Path, PathBuf};

use microkit_abi::MICROKIT_VERSION;
use miette::{Result, miette};

use crate::files;
use crate::nearest::advice;
use crate::sdk::unpack;

const PREFIX: &str = "microkit-sdk-";

/// A kept SDK.
pub(crate) struct Kept {
    /// As its directory's name says.
    pub(crate) version: String,
    /// Its root.
    pub(crate) directory: PathBuf,
}

/// Keeps a copy of the SDK at `from`, a directory or a tarball, and returns where.
///
/// The copy is made and checked beside the place where SDKs are kept, and moved there last; until
/// then the SDK that was kept before stays as it was.
pub(crate) fn add(from: &Path) -> Result<PathBuf> {
    let home = home()?;
    files::make_directory(&home)?;
    let temporary = tempfile::Builder::new()
        .prefix(".adding-")
        .tempdir_in(&home)
        .map_err(|e| files::cannot("make a directory in", &home, &e))?;
    let copy = unpack::into(from, temporary.path())?;
    super::check(&copy, &format!("`{}`", from.display()))?;

    let place = home.join(format!("{PREFIX}{MICROKIT_VERSION}"));
    let before = temporary.path().join("replaced");
    let has_before = place.exists();
    let moved = |from: &Path, to: &Path| {
        std::fs::rename(from, to).map_err(|e| files::cannot("move an SDK to", to, &e))
    };
    if has_before {
        moved(&place, &before)?;
    }
    if let Err(report) = moved(&copy, &place) {
        if has_before {
            moved(&before, &place)?;
        }
        return Err(report);
    }
    Ok(place)
}

/// The SDKs that are kept, sorted by version.
pub(crate) fn list() -> Result<Vec<Kept>> {
    let entries = std::fs::read_dir(home()?).into_iter().flatten().flatten();
    let mut kept: Vec<_> = entries
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.strip_prefix(PREFIX)?.to_owned();
            Some(Kept {
                version,
                directory: entry.path(),
            })
        })
        .collect();
    kept.sort_by(|a, b| a.version.cmp(&b.version));
    Ok(kept)
}

/// Deletes the kept SDK of a version.
pub(crate) fn remove(version: &str) -> Result<PathBuf> {
    let Some(directory) = kept(version)? else {
        let versions: Vec<_> = list()?.into_iter().map(|kept| kept.version).collect();
        return Err(miette!(
            help = format!("of kept SDKs, {}", advice(version, &versions)),
            "no Microkit SDK {version} is kept"
        ));
    };
    std::fs::remove_dir_all(&directory).map_err(|e| files::cannot("delete", &directory, &e))?;
    Ok(directory)
}

/// Where the SDK of a version is kept, if it is.
pub(crate) fn kept(version: &str) -> Result<Option<PathBuf>> {
    Ok(list()?
        .into_iter()
        .find(|kept| kept.version == version)
        .map(|kept| kept.directory))
}

/// The directory of all kept SDKs.
fn home() -> Result<PathBuf> {
    Ok(crate::home::data()?.join("sdk"))
}
