//! Writes output files in one step: a failure leaves the old file unchanged.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use miette::{Report, Result, miette};
use rustix::fs::{FlockOperation, flock};

use crate::terminal;

/// Copies the finished file `from` to `to`. Replaces an existing file in one step.
pub(crate) fn place(from: &Path, to: &Path) -> Result<()> {
    let mut source = File::open(from).map_err(|e| cannot("read", from, &e))?;
    replace(to, |file| io::copy(&mut source, file).map(drop))
}

/// Writes `bytes` to `to`. Replaces an existing file in one step.
pub(crate) fn write(to: &Path, bytes: impl AsRef<[u8]>) -> Result<()> {
    replace(to, |file| io::Write::write_all(file, bytes.as_ref()))
}

fn replace(to: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<()> {
    // Keeps a symbolic link, and replaces only the target of the link.
    let real = std::fs::canonicalize(to).unwrap_or_else(|_| to.to_path_buf());
    let directory = match real.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let write = || -> io::Result<()> {
        if let Ok(data) = std::fs::metadata(&real) {
            if data.permissions().readonly() {
                // An explicit check is needed: replacing the file by renaming would succeed,
                // because renaming requires only the folder's permission.
                return Err(io::Error::other("it is read-only"));
            }
            if !data.is_file() && !data.is_dir() {
                // A device or a pipe must not be replaced by a file.
                return fill(&mut File::options().write(true).open(&real)?);
            }
        }
        let mut file = tempfile::Builder::new()
            .prefix(".cargo-microkit-")
            .permissions(Permissions::from_mode(0o666)) // The umask applies to this mode.
            .tempfile_in(directory)?;
        fill(file.as_file_mut())?;
        file.persist(&real)?;
        Ok(())
    };
    write().map_err(|e| cannot("write", to, &e))
}

/// A lock between processes. The lock is released when this value is dropped, or when the process
/// ends.
#[derive(Debug)]
#[must_use = "it is released when this is dropped"]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a file. Creates the file if it does not exist.
    ///
    /// **Blocking:** waits, with a message, until no other process has the lock.
    pub(crate) fn take(path: &Path) -> Result<Self> {
        let lock = || -> io::Result<File> {
            let file = File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(path)?;
            if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
                let directory = path.parent().unwrap_or(path).display();
                terminal::status("Blocking", format_args!("waiting for `{directory}`"));
                flock(&file, FlockOperation::LockExclusive)?;
            }
            Ok(file)
        };
        let file = lock().map_err(|e| cannot("lock", path, &e))?;
        Ok(Self { _file: file })
    }
}

/// Creates a directory and its parents.
pub(crate) fn make_directory(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|e| cannot("make the directory", path, &e))
}

/// Returns the error for a file operation that the operating system refused.
pub(crate) fn cannot(what: &str, path: &Path, error: &io::Error) -> Report {
    miette!(
        help = "check the path and its permissions",
        "cannot {what} `{}`: {error}",
        path.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_file_is_unchanged_if_writing_fails() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let to = directory.path().join("image");
        write(&to, "first").expect("a fresh file");
        replace(&to, |_| Err(io::Error::other("disk full"))).expect_err("writing failed");
        place(&directory.path().join("no such file"), &to).expect_err("nothing to copy");
        assert_eq!(std::fs::read_to_string(&to).expect("the file"), "first");
        let names = std::fs::read_dir(directory.path())
            .expect("the directory")
            .count();
        assert_eq!(names, 1, "no temporary file is left");
    }

    #[test]
    fn links_pipes_and_read_only_files_are_not_replaced() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let [to, link] = ["to", "link"].map(|name| directory.path().join(name));
        write(&to, "first").expect("a fresh file");
        std::os::unix::fs::symlink("to", &link).expect("a link");
        write(&link, "second").expect("through the link");
        let data = std::fs::symlink_metadata(&link).expect("it is there");
        assert!(data.is_symlink(), "the link is gone");
        assert_eq!(std::fs::read_to_string(&to).expect("the file"), "second");

        let pipe = directory.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.expect("mkfifo runs").success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || std::fs::read_to_string(pipe)
        });
        write(&pipe, "through").expect("a reader is there");
        let read = reader.join().expect("it reads").expect("the pipe");
        assert_eq!(read, "through");

        std::fs::set_permissions(&to, Permissions::from_mode(0o444)).expect("its mode");
        write(&to, "third").expect_err("it is read-only");
        assert_eq!(std::fs::read_to_string(&to).expect("the file"), "second");
    }
}
