//! A system file, as far as this program reads it: which ELF files it wants, and for which PD.

use std::ops::Range;

use microkit_abi::limits::DEFAULT_STACK_BYTES;
use miette::{LabeledSpan, NamedSource, Report, Result, SourceOffset, miette};

use crate::files;
use crate::system::System;
use crate::target::Target;

/// The text of a system file and the program images that it names.
pub(crate) struct SystemFile {
    /// Where it came from.
    pub(crate) system: System,
    /// The program images of all PDs, each path once.
    pub(crate) images: Vec<ProgramImage>,
    /// Each PD that has a program image.
    pub(crate) pds: Vec<Pd>,
    text: String,
}

/// A PD and its program, as the file has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pd {
    pub(crate) name: String,
    /// The path of its program.
    pub(crate) program: String,
    /// The path of the file with the program's symbols, if that is another.
    pub(crate) symbols: Option<String>,
    /// Its stack's size in bytes, if that is a number.
    pub(crate) stack_bytes: Option<u64>,
}

/// An ELF file that a system file asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProgramImage {
    /// As it stands in the file.
    pub(crate) path: String,
    /// The first PD that wants it.
    pub(crate) pd: String,
    /// What it is to be compiled for: with floating point, if one of its PDs has that.
    pub(crate) target: Target,
    /// Where in the file it stands.
    span: Range<usize>,
}

impl SystemFile {
    /// Reads the file of `system`.
    ///
    /// **Errors:** there is no such file, or it is not XML. Whether it describes a system at all
    /// is left to `microkit-sdf`.
    pub(crate) fn read(system: System) -> Result<Self> {
        let bytes = std::fs::read(&system.path)
            .map_err(|e| files::cannot("read the system file", &system.path, &e))?;
        let text = String::from_utf8(bytes).map_err(|e| {
            miette!(
                help = "save the file as UTF-8",
                "the system file `{}` is not UTF-8 from byte {} on",
                system.path.display(),
                e.utf8_error().valid_up_to()
            )
        })?;
        let mut file = Self {
            system,
            images: Vec::new(),
            pds: Vec::new(),
            text,
        };
        let document = roxmltree::Document::parse(&file.text).map_err(|e| file.not_xml(&e))?;
        let (images, pds) = (program_images(&document), pds(&document));
        (file.images, file.pds) = (images, pds);
        Ok(file)
    }

    /// `report` with the places of `images` shown in the file.
    pub(crate) fn show(&self, images: &[&ProgramImage], report: Report) -> Report {
        let labels = images.iter().map(|image| {
            LabeledSpan::new_with_span(Some("wanted here".to_owned()), image.span.clone())
        });
        self.with_labels(labels.collect(), &report)
    }

    fn not_xml(&self, error: &roxmltree::Error) -> Report {
        let at = error.pos();
        let offset = SourceOffset::from_location(&self.text, at.row as usize, at.col as usize);
        let report = miette!(
            help = "a system file is XML, as the Microkit manual's chapter on it describes",
            "the system file `{}` is not well-formed XML: {error}",
            self.system.path.display()
        );
        self.with_labels(
            vec![LabeledSpan::at_offset(offset.offset(), "here")],
            &report,
        )
    }

    fn with_labels(&self, labels: Vec<LabeledSpan>, report: &Report) -> Report {
        let help = report
            .help()
            .map(|help| help.to_string())
            .unwrap_or_default();
        miette!(labels = labels, help = help, "{report}").with_source_code(NamedSource::new(
            self.system.path.to_string_lossy(),
            self.text.clone(),
        ))
    }
}

/// Every `program_image` of a system's text, however deep its PD is nested.
fn program_images(document: &roxmltree::Document<'_>) -> Vec<ProgramImage> {
    let mut images: Vec<ProgramImage> = Vec::new();
    for node in document
        .descendants()
        .filter(|node| node.has_tag_name("program_image"))
    {
        let pd = node.parent_element();
        let target = match pd.and_then(|pd| pd.attribute("fpu")) {
            Some("false") => Target::NoFpu,
            _ => Target::Fpu,
        };
        let pd = pd.and_then(|pd| pd.attribute("name")).unwrap_or_default();
        for attribute in ["path", "path_for_symbols"] {
            let Some(attribute) = node.attribute_node(attribute) else {
                continue;
            };
            let path = attribute.value();
            if let Some(image) = images.iter_mut().find(|image| image.path == path) {
                image.target = image.target.min(target);
                continue;
            }
            images.push(ProgramImage {
                path: path.to_owned(),
                pd: pd.to_owned(),
                target,
                span: attribute.range_value(),
            });
        }
    }
    images
}

fn pds(document: &roxmltree::Document<'_>) -> Vec<Pd> {
    let all = document.descendants();
    let pds = all.filter(|node| node.has_tag_name("protection_domain"));
    pds.filter_map(|pd| {
        let mut children = pd.children();
        let image = children.find(|node| node.has_tag_name("program_image"))?;
        let stack_bytes = match pd.attribute("stack_size") {
            Some(text) => number(text),
            None => Some(DEFAULT_STACK_BYTES),
        };
        Some(Pd {
            name: pd.attribute("name")?.to_owned(),
            program: image.attribute("path")?.to_owned(),
            symbols: image.attribute("path_for_symbols").map(str::to_owned),
            stack_bytes,
        })
    })
    .collect()
}

/// A number as system files have them (manual, *System Description File*).
fn number(text: &str) -> Option<u64> {
    let text = text.replace('_', "");
    match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &[(&str, &str)]) {
        let document = roxmltree::Document::parse(text).expect("XML");
        let images = program_images(&document);
        let found: Vec<_> = images
            .iter()
            .map(|i| (i.pd.as_str(), i.path.as_str()))
            .collect();
        assert_eq!(found, expect, "{text}");
        for image in images {
            assert_eq!(&text[image.span], image.path);
        }
    }

    #[test]
    fn each_pd_has_its_program_and_stack() {
        let text = r#"<system>
            <protection_domain name="a" stack_size="0x1_000"><program_image path="a.elf" />
                <protection_domain name="b" stack_size="8192"><program_image path="b.elf" path_for_symbols="b.sym" /></protection_domain>
            </protection_domain>
            <protection_domain name="c"><program_image path="a.elf" /></protection_domain>
            <protection_domain name="d" stack_size="much"><program_image path="d.elf" /></protection_domain>
            <protection_domain name="e" />
        </system>"#;
        let document = roxmltree::Document::parse(text).expect("XML");
        let pds = pds(&document);
        let found: Vec<_> = pds
            .iter()
            .map(|pd| {
                let symbols = pd.symbols.as_deref();
                (
                    pd.name.as_str(),
                    pd.program.as_str(),
                    symbols,
                    pd.stack_bytes,
                )
            })
            .collect();
        let expect = [
            ("a", "a.elf", None, Some(0x1000)),
            ("b", "b.elf", Some("b.sym"), Some(8192)),
            ("c", "a.elf", None, Some(8192)),
            ("d", "d.elf", None, None),
        ];
        assert_eq!(found, expect);
    }

    #[test]
    fn images_of_nested_pds_are_found_once_each() {
        check(
            r#"<system>
                <protection_domain name="a"><program_image path="a.elf" />
                    <protection_domain name="b"><program_image path="b.elf" /></protection_domain>
                </protection_domain>
                <protection_domain name="c"><program_image path="a.elf" /></protection_domain>
            </system>"#,
            &[("a", "a.elf"), ("b", "b.elf")],
        );
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
        let document = roxmltree::Document::parse(text).expect("XML");
        let images = program_images(&document);
        let found: Vec<_> = images.iter().map(|i| (i.path.as_str(), i.target)).collect();
        let expect = [
            ("a.elf", Target::NoFpu),
            ("b.elf", Target::Fpu),
            ("d.elf", Target::Fpu),
        ];
        assert_eq!(found, expect);
    }

    #[test]
    fn symbols_may_come_from_another_file() {
        check(
            "<system><protection_domain name='a'>\
             <program_image path='a.elf' path_for_symbols='full.elf' />\
             </protection_domain></system>",
            &[("a", "a.elf"), ("a", "full.elf")],
        );
    }

    #[test]
    fn what_the_sdk_tool_will_refuse_is_passed_over() {
        check("<system/>", &[]);
        check("<other><program_image/></other>", &[]);
        check(
            "<system><!-- <program_image path='x.elf'/> --></system>",
            &[],
        );
    }

    #[test]
    fn text_that_is_not_xml_is_an_error() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        for text in ["", "hello", "<system>", "<system></pd>"] {
            let system = directory.path().join("bad.system");
            std::fs::write(&system, text).expect("the file");
            let system = System::find(system.to_str().expect("UTF-8"), None).expect("it is there");
            assert!(SystemFile::read(system).is_err(), "{text}");
        }
    }
}
