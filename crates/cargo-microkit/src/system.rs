//! Which system file a SYSTEM argument means.

use std::path::{Path, PathBuf};

use miette::{Result, miette};

use crate::nearest::advice;

/// A system file, and the name of its system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct System {
    /// The file's name without `.system`.
    pub(crate) name: String,
    /// The file.
    pub(crate) path: PathBuf,
}

impl System {
    /// The system file that `argument` is the path of, if it cannot be a name.
    pub(crate) fn at_path(argument: &str) -> Option<Self> {
        let path = Path::new(argument);
        (is_path(argument) && path.is_file()).then(|| Self::at(path))
    }

    /// The system that `argument` names: one of the workspace's `microkit-systems`, or a file.
    pub(crate) fn find(argument: &str, workspace_root: Option<&Path>) -> Result<Self> {
        let names = workspace_root.map(names).unwrap_or_default();
        let in_workspace = workspace_root.filter(|_| names.iter().any(|name| name == argument));
        if let Some(root) = in_workspace {
            return Ok(Self::at(
                &directory(root).join(format!("{argument}.system")),
            ));
        }
        let path = Path::new(argument);
        if path.is_file() {
            return Ok(Self::at(path));
        }
        if path.is_dir() {
            return Err(miette!(
                help = "name a file in it",
                "`{argument}` is a directory, not a system file"
            ));
        }
        if is_path(argument) {
            let here = match names.is_empty() {
                true => String::new(),
                false => format!(
                    "; of systems that can be named, {}",
                    advice(&stem(path), &names)
                ),
            };
            return Err(miette!(
                help = format!("check the path{here}"),
                "there is no system file `{argument}`"
            ));
        }
        match workspace_root {
            Some(root) => Err(miette!(
                help = advice(argument, &names),
                "no system is called `{argument}` in `{}`",
                directory(root).display()
            )),
            None => Err(miette!(
                help = "give the path of a system file, or go to a Cargo project that has a \
                        `microkit-systems` directory",
                "`{argument}` is no file, and there is no Cargo project here to look for a system \
                 of that name"
            )),
        }
    }

    /// Every system of the workspace.
    pub(crate) fn all(workspace_root: &Path) -> Vec<Self> {
        let path = |name| directory(workspace_root).join(format!("{name}.system"));
        names(workspace_root)
            .into_iter()
            .map(|name| Self::at(&path(name)))
            .collect()
    }

    /// The directory of the file.
    pub(crate) fn directory(&self) -> &Path {
        match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        }
    }

    fn at(path: &Path) -> Self {
        Self {
            name: stem(path),
            path: path.to_path_buf(),
        }
    }
}

/// Where a workspace keeps its systems.
pub(crate) fn directory(workspace_root: &Path) -> PathBuf {
    workspace_root.join("microkit-systems")
}

/// The names of the systems of a workspace, sorted.
fn names(workspace_root: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory(workspace_root))
        .into_iter()
        .flatten()
        .flatten();
    let files = entries
        .map(|entry| entry.path())
        .filter(|path| is_extension(path, "system"));
    let mut names: Vec<_> = files
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    names
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

fn is_path(argument: &str) -> bool {
    let path = Path::new(argument);
    argument.contains('/') || is_extension(path, "system") || is_extension(path, "xml")
}

fn is_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|e| e == extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_before_files_and_files_before_complaints() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let systems = directory(root.path());
        std::fs::create_dir(&systems).expect("the directory");
        let file = systems.join("hello.system");
        std::fs::write(&file, "<system/>").expect("the file");

        let find = |argument: &str| System::find(argument, Some(root.path()));
        let hello = System {
            name: "hello".into(),
            path: file.clone(),
        };
        assert_eq!(find("hello").expect("a name"), hello);
        assert_eq!(find(file.to_str().expect("UTF-8")).expect("a path"), hello);
        assert_eq!(System::all(root.path()), [hello]);

        let check = |argument: &str, part: &str| {
            let error = find(argument).expect_err(argument);
            let help = error.help().map(|h| h.to_string()).unwrap_or_default();
            assert!(
                format!("{error} {help}").contains(part),
                "{argument}: {error} {help}"
            );
        };
        check("helo", "did you mean `hello`?");
        check("nothing/like.this", "no system file `nothing/like.this`");
        check("other.system", "no system file `other.system`");
        check(systems.to_str().expect("UTF-8"), "is a directory");
        assert!(System::find("hello", None).is_err());
    }
}
