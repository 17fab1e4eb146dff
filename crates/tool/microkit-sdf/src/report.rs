//! What there is to say about a file, as data that knows its place: faults, warnings, refusals.
//!
//! The three differ only in their kinds, so they share [`Finding`], one thing found, and
//! [`Report`], everything found in one file, which `miette` can draw with each line underlined.

use std::fmt::{self, Debug, Display};
use std::mem::discriminant;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, MietteError, MietteSpanContents, Severity, SourceCode};
use miette::{SourceSpan, SpanContents};

use crate::Span;

/// Everything that was found in one file, in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Report<K> {
    source: Source,
    findings: Vec<Finding<K>>,
}

/// One thing found, and where.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{kind}{}", and_more(more.len()))]
#[non_exhaustive]
pub struct Finding<K> {
    /// Where it is: an attribute with its value, or the name in an element's opening tag.
    pub span: Span,
    /// Another place that matters.
    pub related: Option<Related>,
    /// What it is.
    pub kind: K,
    /// The same elsewhere in the file, if the report tells of it once.
    pub more: Vec<Self>,
}

/// Another place that matters to a [`Finding`].
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Related {
    /// Where it is.
    pub span: Span,
    /// Why it matters, in a few words to be written next to it.
    pub why: &'static str,
}

/// A system file: what it is called and what it says.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Source {
    /// Its name, as it is to be shown.
    pub name: String,
    /// Its text.
    pub text: Arc<str>,
}

/// The kinds of things that can be found.
pub trait Kind: Diagnostic + Debug + Display {
    /// What one is called, and what several are called.
    const NOUN: [&'static str; 2];
    /// How bad one is.
    const SEVERITY: Severity;
}

impl<K: Kind> Report<K> {
    /// A report of `findings` in `source`, which it puts in the order of the file.
    pub fn new(source: Source, mut findings: Vec<Finding<K>>) -> Self {
        findings.sort_by_key(|finding| finding.span);
        Self { source, findings }
    }

    /// The same report, with what is of one kind in several places told once.
    pub fn grouped(self) -> Self {
        let mut findings: Vec<Finding<K>> = Vec::new();
        for finding in self.findings {
            let kind = discriminant(&finding.kind);
            match findings.iter_mut().find(|f| discriminant(&f.kind) == kind) {
                Some(first) => first.more.push(finding),
                None => findings.push(finding),
            }
        }
        Self { findings, ..self }
    }

    /// The file.
    pub fn source_file(&self) -> &Source {
        &self.source
    }

    /// What was found, in the order of the file.
    pub fn findings(&self) -> &[Finding<K>] {
        &self.findings
    }
}

impl<K: Kind> Display for Report<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.findings.len();
        let noun = K::NOUN[usize::from(count != 1)];
        write!(f, "{count} {noun} in {}", self.source.name)
    }
}

impl<K: Kind> std::error::Error for Report<K> {}

impl<K: Kind> Diagnostic for Report<K> {
    fn severity(&self) -> Option<Severity> {
        Some(K::SEVERITY)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(
            self.findings
                .iter()
                .map(|finding| finding as &dyn Diagnostic),
        ))
    }
}

impl<K: Kind> Finding<K> {
    pub(crate) fn new(span: Span, kind: K) -> Self {
        Self {
            span,
            related: None,
            kind,
            more: Vec::new(),
        }
    }

    pub(crate) fn with_related(mut self, span: Span, why: &'static str) -> Self {
        self.related = Some(Related { span, why });
        self
    }
}

/// Returns the help of a report about several places, given what each says: all the same, or the
/// first as that.
pub fn joint_help<'a>(
    first: impl Display,
    mut others: impl Iterator<Item = impl Display>,
) -> Option<Box<dyn Display + 'a>> {
    let help = first.to_string();
    Some(match others.all(|other| other.to_string() == help) {
        true => Box::new(help),
        false => Box::new(format!("for the first: {help}")),
    })
}

impl<K: Kind> Diagnostic for Finding<K> {
    fn severity(&self) -> Option<Severity> {
        Some(K::SEVERITY)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        let others = self.more.iter().filter_map(|other| other.kind.help());
        joint_help(self.kind.help()?, others)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let is_one = self.related.is_none() && self.more.is_empty();
        let label = (!is_one).then(|| "here".to_owned());
        let here = LabeledSpan::new_primary_with_span(label, self.span);
        let there = self
            .related
            .map(|r| LabeledSpan::new_with_span(Some(r.why.into()), r.span));
        let more = self.more.iter();
        let more = more.map(|m| LabeledSpan::new_with_span(Some(m.kind.to_string()), m.span));
        Some(Box::new(std::iter::once(here).chain(there).chain(more)))
    }
}

/// How often something is told beside the first time.
fn and_more(count: usize) -> String {
    match count {
        0 => String::new(),
        _ => format!(" (and {count} more like it)"),
    }
}

impl Source {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        Self {
            name: name.to_owned(),
            text: text.into(),
        }
    }
}

/// The text is as long as a file, so it is not shown.
impl Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl SourceCode for Source {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let contents = self.text.read_span(span, lines_before, lines_after)?;
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            contents.data(),
            *contents.span(),
            contents.line(),
            contents.column(),
            contents.line_count(),
        )))
    }
}
