//! The files that a system names.

use std::fs;
use std::io;
use std::path::Path;

use microkit_sdf::SearchPaths;

/// Reads the files that a system names: its programs, and those that fill memory regions.
///
/// Planning itself does no input or output. It calls this trait instead.
pub trait Files {
    /// Returns the contents of the file at `path`, as the system file writes it.
    ///
    /// # Errors
    ///
    /// The file cannot be read. This becomes an error of the system.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
}

/// Reads the same files that the system was parsed with.
impl Files for SearchPaths {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, "there is no such file");
        fs::read(self.find(path).ok_or_else(missing)?)
    }
}
