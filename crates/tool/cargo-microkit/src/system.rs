//! Finds the system file that a SYSTEM argument names.

use std::path::{Path, PathBuf};

use miette::{Report, Result, miette};

use crate::nearest::{advice, quoted};

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

    /// Resolves `argument` to a system: a system of the workspace's `microkit-systems`, the file
    /// `argument`, or the file `argument.system`.
    ///
    /// # Errors
    ///
    /// Fails if the system does not exist, or if the name is ambiguous.
    pub(crate) fn find(argument: &str, workspace_root: Option<&Path>) -> Result<Self> {
        let path = Path::new(argument);
        let beside = PathBuf::from(format!("{argument}.system"));
        let beside = beside.is_file().then(|| Self::at(&beside));
        let all = workspace_root.map(Self::all).unwrap_or_default();
        let mut named = all.iter().filter(|system| system.name == argument);
        if let Some(system) = named.next() {
            let others = named.chain(&beside);
            let mut others = others.filter(|other| !is_same_file(&other.path, &system.path));
            let Some(other) = others.next() else {
                return Ok(system.clone());
            };
            let [first, second] = [system, other].map(|system| match system.path.parent() {
                Some(folder) if folder == Path::new("") => format!("./{}", system.path.display()),
                _ => system.path.display().to_string(),
            });
            return Err(miette!(
                help = format!("give the path: `{first}` or `{second}`"),
                "two systems are called `{argument}`: `{first}` and `{second}`"
            ));
        }
        let names = all.into_iter().map(|system| system.name).collect();
        if path.is_file() {
            return Ok(Self::at(path));
        }
        if let Some(system) = beside {
            return Ok(system);
        }
        if path.is_dir() {
            let files = names_in(path);
            let files = files.iter().map(|name| path.join(format!("{name}.system")));
            let files = quoted(files.map(|file| file.display().to_string()));
            return Err(miette!(
                help = match files.is_empty() {
                    true => "give the path of a system file".to_owned(),
                    false => format!("name a file in it: {files}"),
                },
                "`{argument}` is a directory, not a system file"
            ));
        }
        Err(not_found(argument, workspace_root, names))
    }

    /// Lists every system of the workspace: the systems in `microkit-systems`, then the systems in
    /// its subfolders.
    pub(crate) fn all(workspace_root: &Path) -> Vec<Self> {
        let top = directory(workspace_root);
        let entries = std::fs::read_dir(&top).into_iter().flatten().flatten();
        let mut folders: Vec<_> = entries
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
            .collect();
        folders.sort();
        let systems_in = |folder: PathBuf| {
            let names = names_in(&folder).into_iter();
            names.map(move |name| Self::at(&folder.join(format!("{name}.system"))))
        };
        [top]
            .into_iter()
            .chain(folders)
            .flat_map(systems_in)
            .collect()
    }

    /// Returns the directory of the system file.
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

/// Returns the directory of a workspace's systems, `microkit-systems`.
pub(crate) fn directory(workspace_root: &Path) -> PathBuf {
    workspace_root.join("microkit-systems")
}

/// Returns the error for an argument that is neither the name nor the path of a system.
fn not_found(argument: &str, workspace_root: Option<&Path>, mut names: Vec<String>) -> Report {
    names.extend(names_in(Path::new(".")));
    names.sort();
    names.dedup();
    if is_path(argument) {
        let others = match names.is_empty() {
            true => String::new(),
            false => {
                let name = stem(Path::new(argument));
                format!(", or name a system; {}", advice(&name, &names))
            }
        };
        return miette!(
            help = format!("check the path{others}"),
            "the system file `{argument}` does not exist"
        );
    }
    match workspace_root {
        Some(root) => miette!(
            help = advice(argument, &names),
            "no system is called `{argument}`: neither this folder nor `{}` holds \
             `{argument}.system`",
            directory(root).display()
        ),
        None => miette!(
            help = match names.is_empty() {
                true => "give the path of a system file, or go to a Cargo project that has a \
                         `microkit-systems` directory"
                    .to_owned(),
                false => advice(argument, &names),
            },
            "no system is called `{argument}`: this folder does not hold `{argument}.system`, and \
             it is not in a Cargo project with systems"
        ),
    }
}

/// Returns the names of the system files in a folder, sorted.
fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries
        .map(|entry| entry.path())
        .filter(|path| is_extension(path, "system"));
    let mut names: Vec<_> = files
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    names
}

/// Returns the help for a command without a system, if `microkit-systems` is empty. The help
/// proposes the systems of the current folder. If this folder has no systems, the help is
/// `otherwise`.
pub(crate) fn name_one(otherwise: &str) -> String {
    match names_in(Path::new(".")) {
        names if names.is_empty() => otherwise.to_owned(),
        names => format!("name a system of this folder: {}", quoted(names)),
    }
}

fn is_same_file(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
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
    fn a_name_is_preferred_to_a_file_and_an_unknown_one_is_an_error() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let systems = directory(root.path());
        std::fs::create_dir(&systems).expect("the directory");
        let file = systems.join("hello.system");
        std::fs::write(&file, "<system/>").expect("the file");

        let find = |argument: &str| NamedSystem::find(argument, Some(root.path()));
        let hello = NamedSystem {
            name: "hello".into(),
            path: file.clone(),
        };
        assert_eq!(find("hello").expect("a name"), hello);
        assert_eq!(find(file.to_str().expect("UTF-8")).expect("a path"), hello);
        assert_eq!(NamedSystem::all(root.path()), [hello]);

        let check = |argument: &str, part: &str| {
            let error = find(argument).expect_err(argument);
            let help = error.help().map(|h| h.to_string()).unwrap_or_default();
            assert!(
                format!("{error} {help}").contains(part),
                "{argument}: {error} {help}"
            );
        };
        let folder = systems.join("more");
        std::fs::create_dir(&folder).expect("the directory");
        std::fs::write(folder.join("deep.system"), "<system/>").expect("the file");
        assert_eq!(
            find("deep").expect("a name").path,
            folder.join("deep.system")
        );
        std::fs::write(folder.join("hello.system"), "<system/>").expect("the file");
        check("hello", "two systems are called `hello`");
        std::fs::remove_file(folder.join("hello.system")).expect("it is there");
        let names = NamedSystem::all(root.path())
            .into_iter()
            .map(|system| system.name);
        assert_eq!(names.collect::<Vec<_>>(), ["hello", "deep"]);
        check("helo", "did you mean `hello`?");
        check("nothing/like.this", "`nothing/like.this` does not exist");
        check("other.system", "`other.system` does not exist");
        check(systems.to_str().expect("UTF-8"), "is a directory");
        assert!(NamedSystem::find("hello", None).is_err());
    }
}
