//! The stored SDKs. `sdk add` stores an SDK once, and every later command finds the stored SDK.

use std::path::{Path, PathBuf};

use miette::{Result, miette};

use crate::files;
use crate::sdk::{Origin, Sdk, how_to_get, unpack, version, version_of_whole, which_are_kept};

const PREFIX: &str = "microkit-sdk-";

/// A stored SDK.
pub(crate) struct Kept {
    /// The version. It is also the name of the directory.
    pub(crate) version: String,
    /// The root directory of the SDK.
    pub(crate) directory: PathBuf,
}

/// Stores a copy of the SDK at `from`, a directory or a tarball, and returns the copy.
///
/// Makes the copy in a temporary folder beside the stored SDKs. Runs the copied tool and checks the
/// copied kernels. After these checks, the copy replaces the stored SDK of the same version.
pub(crate) fn add(from: &Path) -> Result<Sdk> {
    let home = home()?;
    files::make_directory(&home)?;
    let temporary = tempfile::Builder::new()
        .prefix(".adding-")
        .tempdir_in(&home)
        .map_err(|e| files::cannot("make a directory in", &home, &e))?;
    let copy = unpack::into(from, temporary.path())?;
    let version = version_of_whole(&copy, &format!("`{}`", from.display()))?;
    let sdk = Sdk::open(&copy, Origin::Kept)?;
    let shown = from.to_path_buf();
    Sdk { shown, ..sdk }.check_whole()?;

    let place = home.join(format!("{PREFIX}{version}"));
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
    Sdk::open(&place, Origin::Kept)
}

/// Resolves the user's name for an SDK to the SDK's directory. The name is a stored version or a
/// path.
///
/// # Errors
///
/// Fails if the name matches neither a stored version nor a directory, or matches both.
pub(super) fn named(named: &Path, origin: Origin) -> Result<PathBuf> {
    let name = named.to_str().filter(|name| version::is_sound(name));
    let kept = match name {
        Some(name) => kept(name)?,
        None => None,
    };
    match (kept, named.is_dir()) {
        (Some(kept), true) => Err(miette!(
            help = format!("write `./{}` for the folder", named.display()),
            "`{}` ({origin}) names both a stored Microkit SDK, `{}`, and a folder here",
            named.display(),
            kept.display()
        )),
        (Some(kept), false) => Ok(kept),
        // An error in a path is reported when the directory is opened.
        (None, is_directory) => match name.filter(|_| !is_directory) {
            None => Ok(named.to_path_buf()),
            Some(name) => Err(miette!(
                help = format!("{}; {}", which_are_kept(name)?, how_to_get()),
                "`{name}` ({origin}) is neither the version of a stored Microkit SDK nor a folder \
                 here"
            )),
        },
    }
}

/// Returns the stored SDK to use if the user does not select an SDK.
pub(crate) fn preferred() -> Result<Option<PathBuf>> {
    let all = list()?;
    let version = version::preferred(all.iter().map(|kept| &*kept.version));
    let chosen = all.iter().find(|kept| Some(&*kept.version) == version);
    Ok(chosen.map(|kept| kept.directory.clone()))
}

/// Returns the stored SDKs, sorted by version.
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

/// Deletes the stored SDK of this version, or the only stored SDK if `version` is `None`.
pub(crate) fn remove(version: Option<&str>) -> Result<PathBuf> {
    let all = list()?;
    let version = match (version, &all[..]) {
        (Some(version), _) => version,
        (None, [only]) => &only.version,
        (None, _) => {
            return Err(miette!(
                help = which_are_kept("")?,
                "name the version of the Microkit SDK to remove: {} are stored",
                all.len()
            ));
        }
    };
    let Some(directory) = kept(version)? else {
        return Err(miette!(
            help = which_are_kept(version)?,
            "no Microkit SDK {version} is stored"
        ));
    };
    std::fs::remove_dir_all(&directory).map_err(|e| files::cannot("delete", &directory, &e))?;
    Ok(directory)
}

/// Returns the directory of the stored SDK of a version, or `None` if that version is not stored.
fn kept(version: &str) -> Result<Option<PathBuf>> {
    Ok(list()?
        .into_iter()
        .find(|kept| kept.version == version)
        .map(|kept| kept.directory))
}

/// Returns the directory that contains all stored SDKs.
fn home() -> Result<PathBuf> {
    Ok(crate::home::data()?.join("sdk"))
}
