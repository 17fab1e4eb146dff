//! The SDKs that are kept: added once, found ever after.

use std::path::{Path, PathBuf};

use miette::{Result, miette};

use crate::files;
use crate::sdk::{Origin, Sdk, how_to_get, unpack, version, version_of_whole, which_are_kept};

const PREFIX: &str = "microkit-sdk-";

/// A kept SDK.
pub(crate) struct Kept {
    /// As its directory's name says.
    pub(crate) version: String,
    /// Its root.
    pub(crate) directory: PathBuf,
}

/// Keeps a copy of the SDK at `from`, a directory or a tarball, and returns it.
///
/// Its tool is run and its kernels are looked at before it is kept. The copy is made and checked
/// beside the place where SDKs are kept, and moved there last; until then the SDK that was kept
/// before stays as it was.
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

/// The SDK that a user means by `named`: the version of a kept one, or a directory.
///
/// **Errors:** it is neither, or both.
pub(super) fn named(named: &Path, origin: Origin) -> Result<PathBuf> {
    let name = named.to_str().filter(|name| version::is_sound(name));
    let kept = match name {
        Some(name) => kept(name)?,
        None => None,
    };
    match (kept, named.is_dir()) {
        (Some(kept), true) => Err(miette!(
            help = format!("write `./{}` for the folder", named.display()),
            "`{}` ({origin}) names a kept Microkit SDK, `{}`, and a folder here",
            named.display(),
            kept.display()
        )),
        (Some(kept), false) => Ok(kept),
        // Whatever is wrong with a path is said when it is opened.
        (None, is_directory) => match name.filter(|_| !is_directory) {
            None => Ok(named.to_path_buf()),
            Some(name) => Err(miette!(
                help = format!("{}; {}", which_are_kept(name)?, how_to_get()),
                "`{name}` ({origin}) is neither the version of a kept Microkit SDK nor a folder here"
            )),
        },
    }
}

/// The kept SDK that is taken where none is named.
pub(crate) fn preferred() -> Result<Option<PathBuf>> {
    let all = list()?;
    let version = version::preferred(all.iter().map(|kept| &*kept.version));
    let chosen = all.iter().find(|kept| Some(&*kept.version) == version);
    Ok(chosen.map(|kept| kept.directory.clone()))
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

/// Deletes the kept SDK of a version, or the only one.
pub(crate) fn remove(version: Option<&str>) -> Result<PathBuf> {
    let all = list()?;
    let version = match (version, &all[..]) {
        (Some(version), _) => version,
        (None, [only]) => &only.version,
        (None, _) => {
            return Err(miette!(
                help = which_are_kept("")?,
                "say which Microkit SDK is to be removed: {} are kept",
                all.len()
            ));
        }
    };
    let Some(directory) = kept(version)? else {
        return Err(miette!(
            help = which_are_kept(version)?,
            "no Microkit SDK {version} is kept"
        ));
    };
    std::fs::remove_dir_all(&directory).map_err(|e| files::cannot("delete", &directory, &e))?;
    Ok(directory)
}

/// Where the SDK of a version is kept, if it is.
fn kept(version: &str) -> Result<Option<PathBuf>> {
    Ok(list()?
        .into_iter()
        .find(|kept| kept.version == version)
        .map(|kept| kept.directory))
}

/// The directory of all kept SDKs.
fn home() -> Result<PathBuf> {
    Ok(crate::home::data()?.join("sdk"))
}
