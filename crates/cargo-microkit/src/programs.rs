//! Where each program of a system comes from: a binary of the workspace, a file, or a file in C.

use std::path::{Component, Path, PathBuf};

use miette::{Result, miette};

use crate::cargo::Wanted;
use crate::nearest::nearest;
use crate::project::Project;
use crate::system_file::{ProgramImage, SystemFile};

/// A program image, and where to get it.
#[derive(Debug)]
pub(crate) struct Program {
    /// As the system file asks for it.
    pub(crate) image: ProgramImage,
    /// What to take for it.
    pub(crate) source: Source,
}

/// Where a program comes from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Cargo builds it.
    Bin(Wanted),
    /// It is there already.
    File(PathBuf),
    /// It is compiled from this file.
    C(PathBuf),
}

impl Program {
    /// Whether the path in the system file leads to a place below a search path. Others, such as
    /// absolute ones, name a file for themselves.
    pub(crate) fn is_below_search_path(&self) -> bool {
        is_plain(&self.image.path)
    }
}

/// Finds every program of a system.
///
/// `ping.elf` is the binary `ping` of the project if there is one, else the first file of that
/// path below one of `directories`, else the first that is so called but for `.c` at its end.
///
/// **Errors:** with every program that is nowhere.
pub(crate) fn find(
    file: &SystemFile,
    project: Option<&Project>,
    directories: &[PathBuf],
) -> Result<Vec<Program>> {
    let mut programs = Vec::new();
    let mut missing = Vec::new();
    for image in &file.images {
        match source(image, project, directories)? {
            Some(source) => programs.push(Program {
                image: image.clone(),
                source,
            }),
            None => missing.push(image),
        }
    }
    if missing.is_empty() {
        return Ok(programs);
    }

    let wanted = |image: &&ProgramImage| format!("`{}` of PD `{}`", image.path, image.pd);
    let wanted = missing.iter().map(wanted).collect::<Vec<_>>().join(", ");
    let binaries = match project {
        Some(project) => format!(
            "a binary of the Cargo project `{}`",
            project.root().display()
        ),
        None => "a binary of a Cargo project, of which there is none here".to_owned(),
    };
    let searched = directories
        .iter()
        .map(|d| format!("\n  `{}`", d.display()))
        .collect::<String>();
    let report = miette!(
        help = help(&missing[0].path, project),
        "the system file `{}` wants {wanted}, which was found nowhere; looked for {binaries}, and \
         for a file in{searched}",
        file.system.path.display()
    );
    Err(file.show(&missing, report))
}

fn source(
    image: &ProgramImage,
    project: Option<&Project>,
    directories: &[PathBuf],
) -> Result<Option<Source>> {
    let path = image.path.as_str();
    if let Some(project) = project
        && is_plain(path)
        && let Some(bin) = project.bin(&stem(path))?
    {
        return Ok(Some(Source::Bin((image.target, bin))));
    }
    // An absolute path stays itself when it is joined to another.
    let found = |path: &Path| {
        let mut files = directories.iter().map(|d| d.join(path));
        files.find(|file| file.is_file())
    };
    let path = Path::new(path);
    let file = found(path).map(Source::File);
    Ok(file.or_else(|| found(&path.with_extension("c")).map(Source::C)))
}

fn help(path: &str, project: Option<&Project>) -> String {
    let name = stem(path);
    let meant = project
        .and_then(|project| nearest(&name, project.bin_names()))
        .map(|bin| format!("did you mean the binary `{bin}`, as `{bin}.elf`? Otherwise "))
        .unwrap_or_default();
    format!(
        "{meant}make the program with `cargo new {name}`, or write it in C, as `{name}.c`, or say \
         where its ELF file lies with `--search-path DIR`"
    )
}

fn is_plain(path: &str) -> bool {
    Path::new(path)
        .components()
        .all(|c| matches!(c, Component::Normal(_) | Component::CurDir))
}

fn stem(path: &str) -> String {
    Path::new(path)
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::System;

    fn image(path: &str) -> ProgramImage {
        let text = format!("<system><a><program_image path='{path}' /></a></system>");
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("a.system");
        std::fs::write(&file, text).expect("the file");
        let system = System::find(file.to_str().expect("UTF-8"), None).expect("it is there");
        SystemFile::read(system).expect("XML").images[0].clone()
    }

    #[test]
    fn files_are_found_in_the_order_of_the_directories() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let [first, second] = ["first", "second"].map(|name| root.path().join(name));
        for directory in [&first, &second] {
            std::fs::create_dir_all(directory.join("sub")).expect("the directory");
        }
        let file = |path: PathBuf| {
            std::fs::write(&path, "").expect("the file");
            Some(Source::File(path))
        };
        let (a, b) = (file(first.join("a.elf")), file(second.join("sub/b.elf")));
        file(second.join("a.elf"));

        let directories = [first.clone(), second];
        let check = |path: &str, expect: &Option<Source>| {
            assert_eq!(
                &source(&image(path), None, &directories).expect("no project"),
                expect,
                "{path}"
            );
        };
        check("a.elf", &a);
        check("sub/b.elf", &b);
        check("b.elf", &None);
        check("sub", &None);
        std::fs::write(first.join("c.c"), "").expect("the file");
        std::fs::write(first.join("a.c"), "").expect("the file");
        check("c.elf", &Some(Source::C(first.join("c.c"))));
        check("a.elf", &a);
        check(first.join("a.elf").to_str().expect("UTF-8"), &a);
    }

    #[test]
    fn only_plain_paths_name_binaries() {
        let check = |path, expect| assert_eq!(is_plain(path), expect, "{path}");
        check("ping.elf", true);
        check("sub/ping.elf", true);
        check("./ping.elf", true);
        check("../ping.elf", false);
        check("/abs/ping.elf", false);
    }
}
