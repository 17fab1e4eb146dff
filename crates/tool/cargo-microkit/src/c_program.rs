//! The sources of a program in C: a file, a folder, or the list in a table of a manifest.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::Package;
use miette::{Result, miette};
use serde::Deserialize;
use serde_json::Value;

use crate::files;

/// The extensions of files that are compiled: C, and assembly with preprocessor directives.
const ENDINGS: [&str; 2] = ["c", "S"];

/// The sources of a program and their compiler options.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CProgram {
    /// The files to compile. The list is not empty.
    pub(crate) sources: Vec<PathBuf>,
    /// Folders of headers.
    pub(crate) include: Vec<PathBuf>,
    /// Additional arguments for the compiler.
    pub(crate) flags: Vec<String>,
}

/// A table of a manifest that describes a program.
pub(crate) struct Table<'a> {
    /// The full name, such as `package.metadata.microkit.c.NAME`.
    pub(crate) name: String,
    pub(crate) manifest: &'a Path,
    pub(crate) content: &'a Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    sources: Vec<PathBuf>,
    #[serde(default)]
    include: Vec<PathBuf>,
    #[serde(default)]
    flags: Vec<String>,
}

impl<'a> Table<'a> {
    /// Returns the table of a package's manifest that describes the program `name`.
    pub(crate) fn of_package(package: &'a Package, name: &str) -> Option<Self> {
        let manifest = package.manifest_path.as_std_path();
        Self::of("package", manifest, &package.metadata, name)
    }

    /// Returns the table of a manifest that describes the program `name`. `metadata` is the content
    /// of `[KIND.metadata]`.
    pub(crate) fn of(
        kind: &str,
        manifest: &'a Path,
        metadata: &'a Value,
        name: &str,
    ) -> Option<Self> {
        Some(Self {
            name: format!("{kind}.metadata.microkit.c.{name}"),
            manifest,
            content: metadata.get("microkit")?.get("c")?.get(name)?,
        })
    }
}

impl CProgram {
    /// Finds the sources of the program with the ELF file `elf`: `NAME.c`, or the source files in
    /// the folder `NAME`. Headers may be in a folder `include` beside the sources.
    ///
    /// # Errors
    ///
    /// Fails if both the file and the folder exist.
    pub(crate) fn at(elf: &Path) -> Result<Option<Self>> {
        let file = elf.with_extension("c");
        let folder = elf.with_extension("");
        // A folder with a manifest is a Cargo package, even if the folder also holds C files.
        let sources = match folder.is_dir() && !folder.join("Cargo.toml").exists() {
            true => sources_in(&folder)?,
            false => Vec::new(),
        };
        match (file.is_file(), sources.is_empty()) {
            (false, true) => Ok(None),
            (true, true) => {
                let include = file.with_file_name("include");
                let include = include.is_dir().then_some(include);
                Ok(Some(Self {
                    sources: vec![file],
                    include: include.into_iter().collect(),
                    flags: Vec::new(),
                }))
            }
            (false, false) => {
                let include = folder.join("include");
                let include = include.is_dir().then_some(include);
                Ok(Some(Self {
                    sources,
                    include: std::iter::once(folder).chain(include).collect(),
                    flags: Vec::new(),
                }))
            }
            (true, false) => Err(miette!(
                help = "remove or rename one of them, or list the sources in a table \
                        `[package.metadata.microkit.c.NAME]` of a Cargo.toml",
                "the program `{}` could be compiled from the file `{}`, or from the sources in the \
                 folder `{}`",
                elf.display(),
                file.display(),
                folder.display()
            )),
        }
    }

    /// Reads the program that a table describes.
    ///
    /// # Errors
    ///
    /// Fails if the table has unknown or invalid keys, or names a file or folder that does not
    /// exist.
    pub(crate) fn from_table(table: &Table<'_>) -> Result<Self> {
        let Table {
            name,
            manifest,
            content,
        } = table;
        let wrong = |what: &str| {
            miette!(
                help = "write `sources = [\"a.c\", …]`, and optionally `include = [\"FOLDER\", …]` \
                        and `flags = [\"-D…\", …]`; paths are relative to the Cargo.toml",
                "the table `[{name}]` of `{}` cannot be used: {what}",
                manifest.display()
            )
        };
        let listed = Listed::deserialize(*content).map_err(|e| wrong(&e.to_string()))?;
        let here = |path: &PathBuf| manifest.with_file_name("").join(path);
        let mut sources = Vec::new();
        for path in listed.sources.iter().map(here) {
            match path.is_dir() {
                true => sources.extend(sources_in(&path)?),
                false if path.is_file() => sources.push(path),
                false => return Err(wrong(&format!("`{}` does not exist", path.display()))),
            }
        }
        if sources.is_empty() {
            return Err(wrong("it lists no source"));
        }
        let include: Vec<_> = listed.include.iter().map(here).collect();
        if let Some(missing) = include.iter().find(|folder| !folder.is_dir()) {
            return Err(wrong(&format!(
                "the folder `{}` does not exist",
                missing.display()
            )));
        }
        Ok(Self {
            sources,
            include,
            flags: listed.flags,
        })
    }
}

/// Formats the sources for a message: "`a.c`, `b.c`".
impl fmt::Display for CProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, source) in self.sources.iter().enumerate() {
            let comma = if number > 0 { ", " } else { "" };
            write!(f, "{comma}`{}`", source.display())?;
        }
        Ok(())
    }
}

/// Lists the sources directly in a folder, sorted by name. Subfolders are not searched.
fn sources_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(|e| files::cannot("read the folder", folder, &e))?;
    let is_source = |path: &PathBuf| {
        let ending = path.extension().and_then(|ending| ending.to_str());
        ending.is_some_and(|ending| ENDINGS.contains(&ending)) && path.is_file()
    };
    let paths = entries.flatten().map(|entry| entry.path());
    let mut sources: Vec<_> = paths.filter(is_source).collect();
    sources.sort();
    Ok(sources)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a temporary directory");
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().expect("a parent")).expect("the directory");
            fs::write(path, "").expect("the file");
        }
        folder
    }

    /// Creates `files`, and asserts the sources and header folders that are found for `a.elf`.
    #[track_caller]
    fn check(files: &[&str], expect: Option<(&[&str], &[&str])>) {
        let folder = folder(files);
        let found = CProgram::at(&folder.path().join("a.elf")).expect("only one of the two exists");
        let path = |name: &&str| folder.path().join(name);
        let expect = expect.map(|(sources, include)| CProgram {
            sources: sources.iter().map(path).collect(),
            include: include.iter().map(path).collect(),
            flags: Vec::new(),
        });
        assert_eq!(found, expect, "{files:?}");
    }

    #[test]
    fn a_program_is_a_file_or_the_sources_of_a_folder() {
        check(&["b.c", "a.h"], None);
        check(&["a.c"], Some((&["a.c"], &[])));
        check(
            &["a.c", "b.c", "include/a.h"],
            Some((&["a.c"], &["include"])),
        );
        check(
            &["a/z.c", "a/b.c", "a/start.S", "a/x.h", "a/old/y.c"],
            Some((&["a/b.c", "a/start.S", "a/z.c"], &["a"])),
        );
        check(
            &["a/b.c", "a/include/x.h"],
            Some((&["a/b.c"], &["a", "a/include"])),
        );
        // These folders are not C programs.
        check(&["a/x.h"], None);
        check(&["a/Cargo.toml", "a/b.c"], None);
        check(&["a.c", "a/data.bin"], Some((&["a.c"], &[])));
    }

    #[test]
    fn a_file_and_a_folder_of_one_name_are_refused() {
        let folder = folder(&["a.c", "a/b.c"]);
        let error = CProgram::at(&folder.path().join("a.elf")).expect_err("both exist");
        assert!(
            error
                .to_string()
                .contains("a.c`, or from the sources in the folder"),
            "{error}"
        );
    }

    fn of_table(folder: &Path, content: &str) -> Result<CProgram> {
        let content = serde_json::from_str(content).expect("JSON");
        CProgram::from_table(&Table {
            name: "package.metadata.microkit.c.a".to_owned(),
            manifest: &folder.join("Cargo.toml"),
            content: &content,
        })
    }

    #[test]
    fn a_table_lists_files_folders_and_flags() {
        let folder = folder(&["src/a.c", "lib/b.c", "lib/c.c", "inc/a.h"]);
        let path = |name| folder.path().join(name);
        let text = r#"{"sources": ["src/a.c", "lib"], "include": ["inc"], "flags": ["-DX=1 2"]}"#;
        let expect = CProgram {
            sources: ["src/a.c", "lib/b.c", "lib/c.c"].map(path).to_vec(),
            include: vec![path("inc")],
            flags: vec!["-DX=1 2".to_owned()],
        };
        assert_eq!(of_table(folder.path(), text).expect("a table"), expect);
    }

    #[test]
    fn an_error_in_a_table_names_the_table_and_the_reason() {
        let folder = folder(&["a.c", "empty/x.h"]);
        let check = |content: &str, part: &str| {
            let error = of_table(folder.path(), content)
                .expect_err(content)
                .to_string();
            let table = "the table `[package.metadata.microkit.c.a]` of `";
            assert!(error.contains(table) && error.contains(part), "{error}");
        };
        check("{}", "missing field `sources`");
        check("7", "invalid type");
        check(r#"{"sources": "a.c"}"#, "invalid type: string");
        check(r#"{"sources": []}"#, "it lists no source");
        check(r#"{"sources": ["empty"]}"#, "it lists no source");
        check(r#"{"sources": ["b.c"]}"#, "b.c`");
        check(r#"{"sources": ["a.c"], "include": ["inc"]}"#, "inc`");
        check(
            r#"{"sources": ["a.c"], "cflags": []}"#,
            "unknown field `cflags`",
        );
    }
}
