//! System files, each with the name of its system.

use std::path::{Path, PathBuf};

/// A system file and the name of its system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedSystem {
    /// The file name without `.system`.
    pub(crate) name: String,
    /// The path of the file.
    pub(crate) path: PathBuf,
}

impl NamedSystem {
    /// Returns the system at the path `argument`. Returns `None` if `argument` can be a system's
    /// name, or if the file does not exist.
    pub(crate) fn at_path(argument: &str) -> Option<Self> {
        let path = Path::new(argument);
        (is_path(argument) && path.is_file()).then(|| Self::at(path))
    }

    /// Returns the system of a system file.
    pub(crate) fn at(path: &Path) -> Self {
        Self {
            name: stem(path),
            path: path.to_path_buf(),
        }
    }

    /// Lists the systems of a folder, sorted by name. The empty path is the current folder.
    pub(crate) fn in_folder(folder: &Path) -> Vec<Self> {
        let readable = match folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => folder,
        };
        let entries = std::fs::read_dir(readable).into_iter().flatten().flatten();
        let files = entries
            .map(|entry| entry.path())
            .filter(|path| is_extension(path, "system") && path.is_file());
        let names = files.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()));
        let mut systems: Vec<_> = names.map(|name| Self::at(&folder.join(name))).collect();
        systems.sort_by(|a, b| a.name.cmp(&b.name));
        systems
    }

    /// Returns the directory of the system file.
    pub(crate) fn directory(&self) -> &Path {
        match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        }
    }

    /// Returns whether both are the same file.
    pub(crate) fn is_same_file(&self, other: &Self) -> bool {
        match (self.path.canonicalize(), other.path.canonicalize()) {
            (Ok(a), Ok(b)) => a == b,
            _ => false,
        }
    }
}

/// Returns the directory of a package's or workspace's systems, `microkit-systems`.
pub(crate) fn directory(root: &Path) -> PathBuf {
    root.join("microkit-systems")
}

/// Returns whether an argument is a path, not a name.
pub(crate) fn is_path(argument: &str) -> bool {
    let path = Path::new(argument);
    argument.contains('/') || is_extension(path, "system") || is_extension(path, "xml")
}

/// Returns the name of the system in a file.
pub(crate) fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

fn is_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|e| e == extension)
}
