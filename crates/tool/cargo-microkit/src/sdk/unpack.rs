//! Copies SDKs from directories and tarballs. Links and paths are checked, because both sources are
//! untrusted.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::{Component, Path, PathBuf};

use indicatif::ProgressBar;
use miette::{Report, Result, miette};

use crate::files;

/// Copies the SDK at `from` into the empty directory `to`, and returns the root of the copy.
pub(crate) fn into(from: &Path, to: &Path) -> Result<PathBuf> {
    let copy = to.join("copy");
    files::make_directory(&copy)?;
    if from.is_dir() {
        let is_inside = match (from.canonicalize(), to.canonicalize()) {
            (Ok(from), Ok(to)) => to.starts_with(from),
            _ => false,
        };
        if is_inside {
            return Err(miette!(
                help = "set CARGO_MICROKIT_HOME to a directory that is not part of the SDK",
                "`{}` cannot be copied into itself, to `{}`",
                from.display(),
                to.display()
            ));
        }
        copy_directory(from, &copy)?;
        return Ok(copy);
    }
    unpack(from, &copy)?;
    // A tarball may have one top directory, with any name.
    let tops: Vec<_> = std::fs::read_dir(&copy)
        .map_err(|e| files::cannot("read", &copy, &e))?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    match &tops[..] {
        [top] if top.is_dir() => Ok(top.clone()),
        _ => Ok(copy),
    }
}

fn unpack(tarball: &Path, to: &Path) -> Result<()> {
    let mut file = File::open(tarball).map_err(|e| files::cannot("read", tarball, &e))?;
    let bytes = file.metadata().map_or(0, |metadata| metadata.len());
    let mut magic = [0; 2];
    let is_gzip = file.read_exact(&mut magic).is_ok() && magic == [0x1f, 0x8b];
    if !is_gzip {
        return Err(miette!(
            help = super::how_to_get(),
            "`{}` is neither a directory nor a .tar.gz file",
            tarball.display()
        ));
    }
    file.rewind()
        .map_err(|e| files::cannot("read", tarball, &e))?;

    let progress = ProgressBar::new(bytes);
    let reader = progress.wrap_read(BufReader::new(file));
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(reader));
    let broken = |e: io::Error| {
        miette!(
            help = format!("download it again; {}", super::how_to_get()),
            "the tarball `{}` cannot be unpacked; it is truncated or damaged: {e}",
            tarball.display()
        )
    };
    for entry in archive.entries().map_err(broken)? {
        unpack_entry(&mut entry.map_err(broken)?, tarball, to).map_err(|e| e.or_else(broken))?;
    }
    // The archive ends before the end of the file. Reading the rest verifies the checksum at the
    // end of the file.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(broken)?;
    progress.finish_and_clear();
    check_links(to, to, tarball)
}

/// Checks that every link below `directory`, a part of `root`, resolves to a file or folder in
/// `root`.
fn check_links(directory: &Path, root: &Path, tarball: &Path) -> Result<()> {
    let root = root
        .canonicalize()
        .map_err(|e| files::cannot("read", root, &e))?;
    for entry in std::fs::read_dir(directory).map_err(|e| files::cannot("read", directory, &e))? {
        let entry = entry.map_err(|e| files::cannot("read", directory, &e))?;
        let (path, kind) = (entry.path(), entry.file_type());
        let kind = kind.map_err(|e| files::cannot("read", &path, &e))?;
        if kind.is_dir() {
            check_links(&path, &root, tarball)?;
        } else if kind.is_symlink() && !path.canonicalize().is_ok_and(|to| to.starts_with(&root)) {
            return Err(leads_out(
                tarball,
                path.strip_prefix(&root).unwrap_or(&path),
            ));
        }
    }
    Ok(())
}

fn leads_out(tarball: &Path, entry: &Path) -> Report {
    miette!(
        help = super::how_to_get(),
        "the tarball `{}` is not an SDK: its entry `{}` leads out of it or to a missing file",
        tarball.display(),
        entry.display()
    )
}

/// The reason why an entry was not unpacked.
enum Refused {
    Unsafe(Report),
    Broken(io::Error),
}

impl Refused {
    fn or_else(self, broken: impl FnOnce(io::Error) -> Report) -> Report {
        match self {
            Self::Unsafe(report) => report,
            Self::Broken(error) => broken(error),
        }
    }
}

/// Unpacks a file, a directory or a link below `to`. SDKs contain no other kinds of entries.
///
/// `unpack_in` does not write through a link that leads out of `to`. After unpacking,
/// [`check_links`] checks all links.
fn unpack_entry<R: Read>(
    entry: &mut tar::Entry<'_, R>,
    tarball: &Path,
    to: &Path,
) -> Result<(), Refused> {
    let path = entry.path().map_err(Refused::Broken)?.into_owned();
    let kind = entry.header().entry_type();
    let stays = path
        .components()
        .all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
    if kind.is_dir() && stays {
        std::fs::create_dir_all(to.join(path)).map_err(Refused::Broken)
    } else if (kind.is_file() || kind.is_symlink() || kind.is_hard_link()) && stays {
        entry.unpack_in(to).map(drop).map_err(Refused::Broken)
    } else if kind.is_pax_global_extensions() {
        Ok(())
    } else {
        Err(Refused::Unsafe(leads_out(tarball, &path)))
    }
}

/// Copies a directory. Follows links. A link to a directory that contains the link is an error.
fn copy_directory(from: &Path, to: &Path) -> Result<()> {
    for entry in std::fs::read_dir(from).map_err(|e| files::cannot("read", from, &e))? {
        let entry = entry.map_err(|e| files::cannot("read", from, &e))?;
        let (source, copy) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            let real = |path: &Path| {
                path.canonicalize()
                    .map_err(|e| files::cannot("read", path, &e))
            };
            if real(from)?.starts_with(real(&source)?) {
                return Err(miette!(
                    help = "remove the link: an SDK does not need it",
                    "`{}` cannot be copied: it is a link to a folder that contains it",
                    source.display()
                ));
            }
            files::make_directory(&copy)?;
            copy_directory(&source, &copy)?;
        } else if let (false, Ok(target)) = (source.exists(), source.read_link()) {
            return Err(miette!(
                help = super::how_to_get(),
                "`{}` cannot be copied: it is a link to `{}`, which does not exist",
                source.display(),
                target.display()
            ));
        } else {
            std::fs::copy(&source, &copy).map_err(|e| files::cannot("copy", &source, &e))?;
        }
    }
    Ok(())
}
