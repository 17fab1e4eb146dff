//! Writes the files of a new package. Nothing is overwritten, and a failure leaves nothing behind.
//!
//! The files are first written to a temporary folder in the same file system. Then the folder of
//! the package is renamed to its place, in one step. If the folder of the package already exists,
//! each entry is renamed.

use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use std::{fs, io};

use miette::{Result, miette};

use crate::files;
use crate::project::{Project, nearest_manifest};

/// Writes `package` to a folder that does not exist, or that is empty except for `.git`.
pub(crate) fn write(folder: &Path, package: &[(PathBuf, String)]) -> Result<()> {
    let (existing, missing) = split(folder);
    if missing
        .components()
        .any(|part| part == Component::ParentDir)
    {
        // `a/../b` without a folder `a` names nothing.
        return Err(files::cannot("find", folder, &ErrorKind::NotFound.into()));
    }
    let write = || -> io::Result<()> {
        let stage = tempfile::Builder::new()
            .prefix(".cargo-microkit-")
            .tempdir_in(&existing)?;
        let root = stage.path().join("new");
        for (path, text) in package {
            let path = root.join(&missing).join(path);
            fs::create_dir_all(path.parent().unwrap_or(&root))?;
            fs::write(path, text)?;
        }
        match missing.iter().next() {
            Some(first) => move_to(&root.join(first), &existing.join(first)),
            None => move_all(&root, &existing),
        }
    };
    write().map_err(|e| files::cannot("make a package in", folder, &e))?;
    isolate(folder)
}

/// Splits a path into the part that exists and the rest.
fn split(folder: &Path) -> (PathBuf, PathBuf) {
    let existing = folder.ancestors().find(|path| path.exists());
    let existing = existing.unwrap_or(Path::new("."));
    let missing = folder.strip_prefix(existing).unwrap_or(folder);
    (existing.to_path_buf(), missing.to_path_buf())
}

/// Moves every entry of a folder. After a failure, removes the entries that it has moved.
fn move_all(from: &Path, to: &Path) -> io::Result<()> {
    let mut moved = Vec::new();
    for entry in fs::read_dir(from)? {
        let result = entry.and_then(|entry| {
            let place = to.join(entry.file_name());
            move_to(&entry.path(), &place)?;
            Ok(place)
        });
        match result {
            Ok(place) => moved.push(place),
            Err(error) => {
                for place in moved {
                    // The first error is reported.
                    let _ = match place.is_dir() {
                        true => fs::remove_dir_all(place),
                        false => fs::remove_file(place),
                    };
                }
                return Err(error);
            }
        }
    }
    Ok(())
}

/// Moves a file or folder to a place that must not exist.
fn move_to(from: &Path, to: &Path) -> io::Result<()> {
    if to.symlink_metadata().is_ok() {
        return Err(io::Error::new(
            ErrorKind::AlreadyExists,
            format!("`{}` exists", to.display()),
        ));
    }
    fs::rename(from, to)
}

/// Adds an empty `[workspace]` table if Cargo otherwise rejects the package: its folder is inside a
/// workspace that does not list the package.
///
/// Not every package has the table, because Cargo rejects a workspace whose pattern, such as
/// `crates/*`, lists another workspace.
fn isolate(folder: &Path) -> Result<()> {
    let folder = fs::canonicalize(folder).map_err(|e| files::cannot("find", folder, &e))?;
    let is_inside = folder
        .parent()
        .is_some_and(|parent| nearest_manifest(parent).is_some());
    if !is_inside || Project::around(&folder).is_ok() {
        return Ok(());
    }
    let manifest = folder.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).map_err(|e| files::cannot("read", &manifest, &e))?;
    let reason = "# The workspace that contains this folder does not list this package.";
    files::write(&manifest, format!("{text}\n{reason}\n[workspace]\n"))
}

/// Checks that a package can be made in a folder.
///
/// # Errors
///
/// Fails if the folder contains anything but `.git`.
pub(crate) fn check(folder: &Path, existing_package: impl FnOnce() -> String) -> Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound && !folder.is_symlink() => return Ok(()),
        Err(error) => return Err(files::cannot("make a package in", folder, &error)),
    };
    let names = entries
        .map(|entry| Ok(entry?.file_name()))
        .collect::<io::Result<Vec<_>>>()
        .map_err(|e| files::cannot("read", folder, &e))?;
    if names.iter().any(|name| name == "Cargo.toml") {
        return Err(miette!(
            help = existing_package(),
            "`{}` is a Cargo package already, so nothing was written",
            folder.display()
        ));
    }
    match names.iter().find(|name| *name != ".git") {
        None => Ok(()),
        Some(name) => Err(miette!(
            help = "make the package in a folder of its own, with `cargo microkit new NAME`",
            "the folder `{}` is not empty (it contains `{}`), so nothing was written",
            folder.display(),
            name.display()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package() -> [(PathBuf, String); 2] {
        [("a".into(), "1".into()), ("b/c".into(), "2".into())]
    }

    #[test]
    fn a_package_is_whole_or_absent() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let names = || {
            let entries = fs::read_dir(home.path()).expect("the folder");
            let mut names: Vec<_> = entries
                .map(|entry| entry.expect("an entry").file_name())
                .collect();
            names.sort();
            names
        };
        // `b` exists, so the second move fails, in whatever order the two are moved.
        fs::write(home.path().join("b"), "mine").expect("the file");
        write(home.path(), &package()).expect_err("`b` exists");
        assert_eq!(names(), ["b"]);
        assert_eq!(fs::read(home.path().join("b")).expect("the file"), b"mine");

        let deep = home.path().join("x/y/z");
        write(&deep, &package()).expect("a new folder");
        assert_eq!(fs::read(deep.join("b/c")).expect("the file"), b"2");
        assert_eq!(names(), ["b", "x"]);

        let file = [("a".into(), String::new()), ("a/b".into(), String::new())];
        write(&home.path().join("v/w"), &file).expect_err("`a` is a file");
        assert_eq!(names(), ["b", "x"]);
    }
}
