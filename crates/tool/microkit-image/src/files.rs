//! The files that a system names.

use std::fs;
use std::io;
use std::path::Path;

use microkit_sdf::SearchPaths;

/// Reads the files that a system names: its programs, and the files that fill memory regions.
///
/// Planning reads files only through this trait.
pub trait Files {
    /// Returns the contents of the file at `path`. `path` is written as in the system file.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read. The plan then reports an error of the system.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
}

/// Finds the files in the same search paths as the parser.
impl Files for SearchPaths {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, "there is no such file");
        fs::read(self.find(path).ok_or_else(missing)?)
    }
}
