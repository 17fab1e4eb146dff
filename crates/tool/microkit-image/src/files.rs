//! The files that a system names.

use std::fs;
use std::io;
use std::path::Path;

use microkit_sdf::SearchPaths;

/// The files that a system names: its programs and what its memory regions are filled with.
///
/// Planning does no input or output of its own; it asks here.
pub trait Files {
    /// What is in the file at `path`, as the system file writes it.
    ///
    /// **Errors:** whatever keeps it from being read. It becomes an error of the system.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
}

/// The same files that the system was parsed with.
impl Files for SearchPaths {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, "there is no such file");
        fs::read(self.find(path).ok_or_else(missing)?)
    }
}
