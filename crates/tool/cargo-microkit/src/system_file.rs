//! The system file of a command. The file is read and parsed once, and all later steps use the
//! result.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::path::PathBuf;

use microkit_sdf as sdf;
use miette::{LabeledSpan, Report, Result, miette};

use crate::files;
use crate::system::NamedSystem;
use crate::target::Target;

/// A system file that was read and parsed.
pub(crate) struct SystemFile {
    /// The name and path of the file.
    pub(crate) system: NamedSystem,
    /// The program images of all PDs, without duplicate paths.
    pub(crate) images: Vec<ProgramImage>,
    source: sdf::Source,
    parsed: Result<sdf::System, sdf::SdfErrors>,
}

/// An ELF file that a system file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProgramImage {
    /// The path of the program, as written in the file.
    pub(crate) path: String,
    /// The first PD that runs the program.
    pub(crate) pd: String,
    /// The compilation target: with floating point, if any PD with this program may use floating
    /// point.
    pub(crate) target: Target,
    /// The place in the file that names the program.
    span: sdf::Span,
}

impl SystemFile {
    /// Reads the file of `system`. Searches `search_paths` for the files that the system file
    /// names.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read or is not UTF-8. [`parsed`](Self::parsed) and
    /// [`before_build`](Self::before_build) report errors in the system.
    pub(crate) fn read(
        system: NamedSystem,
        kernel: sdf::KernelConfig,
        search_paths: Vec<PathBuf>,
    ) -> Result<Self> {
        let name = system.path.display().to_string();
        let source = sdf::Source::open(&system.path, name).map_err(|error| match error.kind() {
            ErrorKind::InvalidData => miette!(
                help = "save the file as UTF-8",
                "the system file `{}` cannot be read: {error}",
                system.path.display()
            ),
            _ => files::cannot("read the system file", &system.path, &error),
        })?;
        let parsed = parse(&source, kernel, search_paths);
        Ok(Self {
            system,
            images: images(parsed.programs),
            source,
            parsed: parsed.system,
        })
    }

    /// Reads the program images that the file of `system` names, even if the file has errors.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`read`](Self::read).
    pub(crate) fn images_of(system: &NamedSystem) -> Result<Vec<ProgramImage>> {
        let kernel = sdf::KernelConfig::QEMU_VIRT_AARCH64;
        Ok(Self::read(system.clone(), kernel, Vec::new())?.images)
    }

    /// Returns the parsed system.
    ///
    /// # Errors
    ///
    /// Reports every error in the system with its line.
    pub(crate) fn parsed(&self) -> Result<&sdf::System> {
        self.parsed.as_ref().map_err(|errors| errors.clone().into())
    }

    /// Returns the parsed system before its programs are built. Returns `None` if a region is
    /// filled with the file of a program, because the system cannot be checked before the program
    /// is built.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`parsed`](Self::parsed).
    pub(crate) fn before_build(&self) -> Result<Option<&sdf::System>> {
        let is_program = |path: &str| self.images.iter().any(|image| image.path == path);
        let is_for_later = |error: &sdf::SdfError| match &error.kind {
            sdf::SdfErrorKind::PrefillUnreadable { path, .. } => is_program(path),
            _ => false,
        };
        match &self.parsed {
            Err(errors) if errors.findings().iter().all(is_for_later) => Ok(None),
            _ => self.parsed().map(Some),
        }
    }

    /// Returns the parsed system after its programs are built. `search_paths` must contain the
    /// programs. Parses the file again only if the system has filled regions, because the build may
    /// have created the files for these regions.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`parsed`](Self::parsed).
    pub(crate) fn after_build(
        &self,
        kernel: sdf::KernelConfig,
        search_paths: &[PathBuf],
    ) -> Result<Cow<'_, sdf::System>> {
        let is_filled = |region: &sdf::MemoryRegion| matches!(region.fill, sdf::Fill::File { .. });
        match &self.parsed {
            Ok(system) if !system.memory_regions.iter().any(is_filled) => Ok(Cow::Borrowed(system)),
            _ => {
                let parsed = parse(&self.source, kernel, search_paths.to_vec());
                Ok(Cow::Owned(parsed.system?))
            }
        }
    }

    /// Adds labels to `report`, at the places in the file that name `images`.
    pub(crate) fn show(&self, images: &[&ProgramImage], report: &Report) -> Report {
        let labels = images
            .iter()
            .map(|image| LabeledSpan::new_with_span(Some("required here".to_owned()), image.span));
        let labels: Vec<_> = labels.collect();
        let help = report
            .help()
            .map(|help| help.to_string())
            .unwrap_or_default();
        miette!(labels = labels, help = help, "{report}").with_source_code(self.source.clone())
    }
}

fn parse(
    source: &sdf::Source,
    kernel: sdf::KernelConfig,
    search_paths: Vec<PathBuf>,
) -> sdf::Parsed {
    let files = &sdf::SearchPaths(search_paths);
    source.parse(sdf::Options { kernel, files })
}

/// Converts `programs` to images, without duplicate paths.
fn images(programs: Vec<sdf::NamedProgram>) -> Vec<ProgramImage> {
    let mut images: Vec<ProgramImage> = Vec::new();
    for program in programs {
        let target = match program.fpu {
            true => Target::Fpu,
            false => Target::NoFpu,
        };
        match images.iter_mut().find(|image| image.path == program.path) {
            Some(image) => image.target = image.target.min(target),
            None => images.push(ProgramImage {
                path: program.path,
                pd: program.pd,
                target,
                span: program.span,
            }),
        }
    }
    images
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images_in(text: &str) -> Vec<ProgramImage> {
        let source = sdf::Source::new("x.system", text);
        images(parse(&source, sdf::KernelConfig::QEMU_VIRT_AARCH64, Vec::new()).programs)
    }

    fn read(text: &[u8]) -> Result<SystemFile> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("x.system");
        std::fs::write(&path, text).expect("the file");
        let system = NamedSystem::at(&path);
        SystemFile::read(system, sdf::KernelConfig::QEMU_VIRT_AARCH64, Vec::new())
    }

    #[test]
    fn images_of_nested_pds_are_found_once_each() {
        let text = r#"<system>
            <protection_domain name="a"><program_image path="a.elf" />
                <protection_domain name="b"><program_image path="b.elf" path_for_symbols="full.elf" /></protection_domain>
            </protection_domain>
            <protection_domain name="c"><program_image path="a.elf" /></protection_domain>
        </system>"#;
        let images = images_in(text);
        let found: Vec<_> = images.iter().map(|i| (&*i.pd, &*i.path)).collect();
        assert_eq!(found, [("a", "a.elf"), ("b", "b.elf"), ("b", "full.elf")]);
    }

    #[test]
    fn a_program_has_floating_point_if_one_of_its_pds_has() {
        let text = r#"<system>
            <protection_domain name="a" fpu="false"><program_image path="a.elf" /></protection_domain>
            <protection_domain name="b" fpu="false"><program_image path="b.elf" /></protection_domain>
            <protection_domain name="c"><program_image path="b.elf" /></protection_domain>
            <protection_domain name="d" fpu="true"><program_image path="d.elf" /></protection_domain>
            <protection_domain name="e" fpu="false"><program_image path="d.elf" /></protection_domain>
        </system>"#;
        let images = images_in(text);
        let found: Vec<_> = images.iter().map(|i| (i.path.as_str(), i.target)).collect();
        let expect = [
            ("a.elf", Target::NoFpu),
            ("b.elf", Target::Fpu),
            ("d.elf", Target::Fpu),
        ];
        assert_eq!(found, expect);
    }

    #[test]
    fn text_that_is_not_xml_is_an_error() {
        for text in ["", "hello", "<system>", "<system></pd>"] {
            let file = read(text.as_bytes()).expect("it is UTF-8");
            assert!(file.parsed().is_err(), "{text}");
            assert!(file.before_build().is_err(), "{text}");
            assert!(file.images.is_empty(), "{text}");
        }
        let error = read(b"<system>\xff").err().expect("an error: not UTF-8");
        assert!(error.to_string().contains("UTF-8 from byte 8"), "{error}");
    }

    #[test]
    fn a_region_that_is_filled_with_a_program_is_checked_after_the_build() {
        let check = |fill: &str, is_for_later: bool| {
            let text = format!(
                r#"<system>
                    <protection_domain name="a" priority="1"><program_image path="a.elf" /></protection_domain>
                    <memory_region name="r" prefill_path="{fill}" />
                </system>"#
            );
            let file = read(text.as_bytes()).expect("it is UTF-8");
            assert!(file.parsed().is_err(), "{fill}");
            assert_eq!(file.before_build().is_ok(), is_for_later, "{fill}");

            let directory = tempfile::tempdir().expect("a temporary directory");
            std::fs::write(directory.path().join(fill), [1; 5000]).expect("the file");
            let folders = [directory.path().to_path_buf()];
            let kernel = sdf::KernelConfig::QEMU_VIRT_AARCH64;
            let system = file.after_build(kernel, &folders).expect("it is there now");
            assert_eq!(system.memory_regions[0].bytes, 0x2000, "{fill}");
        };
        check("a.elf", true);
        check("other.bin", false);
    }
}
