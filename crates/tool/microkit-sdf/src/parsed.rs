//! Parses the text of a system file. This module is the only reader of system files.

use std::cell::RefCell;

use crate::draft::{At, Draft};
use crate::element::Context;
use crate::error::{SdfError, SdfErrorKind, SdfErrors};
use crate::warning::Warning;
use crate::{Options, Source, Span, System, check, lower, read};

/// Holds the result of parsing a system file.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Parsed {
    /// The programs that the file names, also if the file has errors. If a program fills a memory
    /// region, the check of the file needs the length of the program. So the build must make such a
    /// program before the check.
    pub programs: Vec<NamedProgram>,
    /// The system, or all errors of the file.
    pub system: Result<System, SdfErrors>,
}

/// Names an ELF file that a protection domain uses.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NamedProgram {
    /// The path in the system file.
    pub path: String,
    /// The name of the protection domain, or an empty string if the file states no name.
    pub pd: String,
    /// Whether the protection domain may use floating-point registers.
    pub fpu: bool,
    /// The place of the attribute whose value is `path`.
    pub span: Span,
}

impl Source {
    /// Parses and checks the file.
    ///
    /// ```
    /// use microkit_sdf::{NoFiles, Options, Source};
    ///
    /// let text = r#"<system><protection_domain name="a"><program_image path="a.elf" />"#;
    /// let open = Source::new("open.system", text).parse(Options::new(&NoFiles));
    /// assert_eq!(open.system.unwrap_err().to_string(), "1 error in open.system");
    /// ```
    pub fn parse(&self, options: Options<'_>) -> Parsed {
        let text = &*self.text;
        let document = match roxmltree::Document::parse(text) {
            Ok(document) => document,
            Err(error) => {
                let error = xml_error(&error, text);
                return Parsed {
                    programs: Vec::new(),
                    system: Err(SdfErrors::new(self.clone(), vec![error])),
                };
            }
        };
        let (errors, warnings) = (RefCell::default(), RefCell::default());
        let cx = Context {
            options,
            text,
            errors,
            warnings,
        };
        let mut draft = read::system(&document, &cx);
        let programs = programs(&draft);
        let names = check::all(&mut draft, &cx);

        let (errors, mut warnings) = (cx.errors.take(), cx.warnings.take());
        warnings.sort_by_key(Warning::span);
        let lowered = match errors.is_empty() {
            true => lower::system(&draft, &names, self.clone(), warnings),
            false => None,
        };
        let system = lowered.ok_or_else(|| SdfErrors::new(self.clone(), errors));
        Parsed { programs, system }
    }
}

/// Returns the programs of all protection domains, in the order of the file.
fn programs(draft: &Draft<'_>) -> Vec<NamedProgram> {
    let pds = draft.pds.iter();
    let programs = pds.flat_map(|pd| {
        let paths = [pd.image, pd.image_for_symbols].into_iter().flatten();
        paths.map(|At { value, span }| NamedProgram {
            path: value.to_owned(),
            pd: pd
                .name
                .map_or_else(String::new, |name| name.value.to_owned()),
            fpu: pd.fpu,
            span,
        })
    });
    programs.collect()
}

/// Converts an error of the XML parser. The place is the character that the parser reports.
fn xml_error(error: &roxmltree::Error, text: &str) -> SdfError {
    let position = error.pos();
    // Rows and columns are counted from 1. A column is a character, not a byte.
    let row = text
        .split_inclusive('\n')
        .take(position.row.saturating_sub(1) as usize);
    let before_row: usize = row.map(str::len).sum();
    let in_row = text[before_row..]
        .char_indices()
        .nth(position.col.saturating_sub(1) as usize);
    let (start, len) = match in_row {
        Some((offset, character)) => (before_row + offset, character.len_utf8()),
        None => (text.len(), 0),
    };
    let span = Span {
        start,
        end: start + len,
    };
    SdfError::at(
        span,
        SdfErrorKind::Xml {
            reason: error.to_string(),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NoFiles;

    fn check(text: &str, expect: &[(&str, &str, bool)]) {
        let source = Source::new("x.system", text);
        let programs = source.parse(Options::new(&NoFiles)).programs;
        let found: Vec<_> = programs
            .iter()
            .map(|program| (&*program.pd, &*program.path, program.fpu))
            .collect();
        assert_eq!(found, expect, "{text}");
        for program in &programs {
            assert!(text[program.span.start..program.span.end].contains(&program.path));
        }
    }

    #[test]
    fn programs_are_named_with_their_pds_whatever_else_is_wrong() {
        check(
            r#"<system>
                <protection_domain name="a" fpu="false"><program_image path="a.elf" />
                    <protection_domain name="b" id="999">
                        <program_image path="b.elf" path_for_symbols="full.elf" />
                    </protection_domain>
                </protection_domain>
                <protection_domain stack_size="much"><program_image path="a.elf" /></protection_domain>
                <memory_region name="r" prefill_path="b.elf" />
            </system>"#,
            &[
                ("a", "a.elf", false),
                ("b", "b.elf", true),
                ("b", "full.elf", true),
                ("", "a.elf", true),
            ],
        );
    }

    #[test]
    fn only_the_pds_of_a_system_name_programs() {
        check("<system/>", &[]);
        check("<other><program_image path='x.elf'/></other>", &[]);
        check(
            "<system><!-- <program_image path='x.elf'/> --></system>",
            &[],
        );
        check("<system", &[]);
    }
}
