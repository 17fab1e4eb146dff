//! Outputs that are whole or not there: nothing that fails half way leaves a file half written.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use miette::{Report, Result, miette};
use rustix::fs::{FlockOperation, flock};

use crate::terminal;

/// Puts a copy of the finished file `from` at `to`, replacing what was there in one step.
pub(crate) fn place(from: &Path, to: &Path) -> Result<()> {
    let mut source = File::open(from).map_err(|e| cannot("read", from, &e))?;
    replace(to, |file| io::copy(&mut source, file).map(drop))
}

/// Writes `bytes` to `to`, replacing what was there in one step.
pub(crate) fn write(to: &Path, bytes: impl AsRef<[u8]>) -> Result<()> {
    replace(to, |file| io::Write::write_all(file, bytes.as_ref()))
}

fn replace(to: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<()> {
    let directory = match to.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let write = || -> io::Result<()> {
        let mut file = tempfile::Builder::new()
            .prefix(".cargo-microkit-")
            .permissions(Permissions::from_mode(0o666)) // The umask takes its share.
            .tempfile_in(directory)?;
        fill(file.as_file_mut())?;
        file.persist(to)?;
        Ok(())
    };
    write().map_err(|e| cannot("write", to, &e))
}

/// A lock that no other process has, until this is dropped or the process ends.
#[derive(Debug)]
#[must_use = "it is released when this is dropped"]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a file, which is made if it is not there.
    ///
    /// **Blocks:** until no other process has it, and says so.
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

/// Makes a directory and those above it.
pub(crate) fn make_directory(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|e| cannot("make the directory", path, &e))
}

/// The sentence for an operation on a file that the operating system refused.
pub(crate) fn cannot(what: &str, path: &Path, error: &io::Error) -> Report {
    miette!(
        help = "check the path and your rights to it",
        "cannot {what} `{}`: {error}",
        path.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_stays_when_writing_fails() {
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
}
