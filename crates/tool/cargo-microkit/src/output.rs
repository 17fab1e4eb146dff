//! Protects files from being overwritten by an output. An output replaces only the output of an
//! earlier run. For example, the typing error `-o my.system` must not destroy a hand-written file.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use miette::{Result, miette};

use crate::files;

/// A kind of output.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) enum OutputKind {
    /// A boot image.
    Image,
    /// The report on an image, by the SDK's tool or the model kernel's packer.
    Report,
    /// An SVG.
    Drawing,
    /// Measurements, as JSON.
    Table,
}

/// The mark in each picture that this program draws. The name of the command follows.
const DRAWN_BY: &str = "drawn by `cargo microkit ";

/// The number of bytes at the beginning of a file that are read to recognise its kind.
const HEAD_BYTES: u64 = 1 << 16;

/// Checks, before the build, that each output file may be written.
///
/// # Errors
///
/// Fails if a file contains anything except an earlier output of the same kind, or if two outputs
/// name the same file.
pub(crate) fn check<'a>(
    outputs: impl IntoIterator<Item = (OutputKind, Option<&'a Path>)>,
) -> Result<()> {
    let mut seen: Vec<PathBuf> = Vec::new();
    for (kind, path) in outputs {
        let Some(path) = path else { continue };
        let real = fs::canonicalize(path)
            .or_else(|_| std::path::absolute(path))
            .unwrap_or_else(|_| path.to_path_buf());
        let is_file = fs::metadata(&real).is_ok_and(|data| data.is_file());
        if seen.contains(&real) && (is_file || !real.exists()) {
            return Err(miette!(
                help = "name a different file for each output",
                "two outputs have the same file, `{}`",
                path.display()
            ));
        }
        seen.push(real);
        kind.check(path)?;
    }
    Ok(())
}

impl OutputKind {
    /// Checks that `path` does not exist, is empty, or contains an earlier output of this kind.
    fn check(self, path: &Path) -> Result<()> {
        // Writing to a device or a pipe destroys nothing. For a directory, the write reports the
        // error.
        if !fs::metadata(path).is_ok_and(|data| data.is_file()) {
            return Ok(());
        }
        let mut head = Vec::new();
        fs::File::open(path)
            .and_then(|file| file.take(HEAD_BYTES).read_to_end(&mut head))
            .map_err(|e| files::cannot("read", path, &e))?;
        if head.is_empty() || self.is(&head) {
            return Ok(());
        }
        Err(miette!(
            help = "name another file, or delete this one first if it is not needed",
            "the file `{}` is not {}, so it was not overwritten",
            path.display(),
            self.name()
        ))
    }

    /// Returns whether a file with this beginning can be of this kind.
    fn is(self, head: &[u8]) -> bool {
        let text = String::from_utf8_lossy(head);
        match self {
            // The loader of every kernel is a flat binary. Text files contain no zero bytes, and
            // programs are ELF files.
            Self::Image => head.contains(&0) && !head.starts_with(b"\x7fELF"),
            // The model kernel's packer writes the heading `Memory regions`. The SDK's tools write
            // the other headings.
            Self::Report => text.lines().any(|line| {
                let is_heading = line.ends_with(" Details") || line.ends_with(" Info");
                line == "Memory regions" || (line.starts_with("# ") && is_heading)
            }),
            // A hand-drawn picture does not contain the mark of this program.
            Self::Drawing => text.contains("<svg") && text.contains(DRAWN_BY),
            Self::Table => text.trim_start().starts_with('{') && text.contains("\"kernels\""),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Image => "a boot image",
            Self::Report => "a report of an image",
            Self::Drawing => "a picture that `cargo microkit` drew",
            Self::Table => "a table of measurements",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_recognised_by_its_first_bytes() {
        let check = |kind: OutputKind, head: &[u8], expect| {
            assert_eq!(kind.is(head), expect, "{kind:?}: {head:?}");
        };
        check(OutputKind::Image, b"\xdf\x4f\x03\xd5\0\0", true);
        check(OutputKind::Image, b"<system>\n</system>\n", false);
        check(OutputKind::Image, b"\x7fELF\x02\0\0", false);
        check(OutputKind::Report, b"# IRQ Details\n", true);
        check(
            OutputKind::Report,
            b"x.system\n\nMemory\n\nMemory regions\n",
            true,
        );
        check(OutputKind::Report, b"# My notes\n", false);
        let drawn = format!("<svg xmlns=\"x\">\n<!-- {DRAWN_BY}graph` -->\n</svg>\n");
        check(OutputKind::Drawing, drawn.as_bytes(), true);
        check(
            OutputKind::Drawing,
            b"<svg xmlns=\"x\"><!-- mine --></svg>\n",
            false,
        );
        check(OutputKind::Drawing, b"<system></system>\n", false);
        check(OutputKind::Table, b"{\n  \"kernels\": []\n}\n", true);
        check(OutputKind::Table, b"{\"name\": \"mine\"}", false);
        check(OutputKind::Table, b"kernels", false);
    }

    #[test]
    fn two_outputs_must_have_different_files() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let [a, b] = ["a", "b"].map(|name| directory.path().join(name));
        let both = |first: &Path, second: &Path| {
            check([
                (OutputKind::Image, Some(first)),
                (OutputKind::Report, Some(second)),
            ])
            .is_ok()
        };
        assert!(both(&a, &b));
        assert!(!both(&a, &a));
        fs::write(&a, "").expect("the file");
        std::os::unix::fs::symlink(&a, &b).expect("a link");
        assert!(!both(&a, &b), "one is a link to the other");
        let null = Path::new("/dev/null");
        assert!(both(null, null), "nothing is lost there");
    }
}
