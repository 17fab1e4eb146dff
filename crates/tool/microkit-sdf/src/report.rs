//! The diagnostics of the tool: findings, each with its places in a system file and its help.
//!
//! Each phase has its own kinds. This crate has [`SdfErrorKind`](crate::SdfErrorKind),
//! [`WarningKind`](crate::WarningKind) and [`RefusalKind`](crate::RefusalKind). `microkit-image`
//! has `PlanErrorKind`, and `microkit-check` has `FindingKind`. A kind has a message, a help and a
//! severity. Everything else is common to all kinds: a [`Finding`] is one problem with its places,
//! and a [`Report`] has all findings of one phase in one file.
//!
//! This module does not draw reports for a terminal. `cargo microkit` passes a report to `miette`,
//! which underlines each place. [`Report::to_text`] is for output without a terminal: compile
//! errors and tests on the host.

use std::fmt::{self, Debug, Display};
use std::mem::discriminant;

use miette::{Diagnostic, LabeledSpan, Severity, SourceCode};

use crate::{Source, Span};

/// Lists all findings in one system file, in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Report<K> {
    source: Source,
    findings: Vec<Finding<K>>,
}

/// Describes one problem, with one or more places.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{kind}{}", and_more(more.len()))]
#[non_exhaustive]
pub struct Finding<K> {
    /// The kind of the problem.
    pub kind: K,
    /// The places of the problem, with the main place first. The list is empty if the problem
    /// concerns the whole system.
    pub labels: Vec<Label>,
    /// The same problem at other places, if the report groups problems.
    pub more: Vec<Self>,
}

/// Names a place in the system file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Label {
    /// The bytes of the place.
    pub span: Span,
    /// A short text about the place, shown beside the place.
    pub text: Option<String>,
}

/// A kind of problem. [`Display`] formats the message, and [`Diagnostic::help`] returns the fix.
pub trait DiagnosticKind: Diagnostic + Debug + Display {
    /// The severity, if [`Diagnostic::severity`] returns `None`.
    const SEVERITY: Severity = Severity::Error;

    /// Returns whether [`Report::grouped`] shows `self` and `other` as one problem at two places.
    fn joins(&self, other: &Self) -> bool
    where
        Self: Sized,
    {
        discriminant(self) == discriminant(other)
    }
}

impl<K: DiagnosticKind> Report<K> {
    /// Makes a report of `findings` in `source`, sorted in the order of the file.
    pub fn new(source: Source, mut findings: Vec<Finding<K>>) -> Self {
        findings.sort_by_key(|finding| (finding.labels.is_empty(), finding.span()));
        Self { source, findings }
    }

    /// Joins problems of one kind at several places into one finding.
    pub fn grouped(self) -> Self {
        let mut findings: Vec<Finding<K>> = Vec::new();
        for finding in self.findings {
            match findings.iter_mut().find(|f| f.kind.joins(&finding.kind)) {
                Some(first) => first.more.push(finding),
                None => findings.push(finding),
            }
        }
        Self { findings, ..self }
    }

    /// Keeps a finding if `keep` returns true for its kind. Returns `None` if no finding remains.
    pub fn filtered(mut self, keep: impl Fn(&K) -> bool) -> Option<Self> {
        self.findings.retain(|finding| keep(&finding.kind));
        (!self.findings.is_empty()).then_some(self)
    }

    /// Returns the system file.
    pub fn source_file(&self) -> &Source {
        &self.source
    }

    /// Returns the findings, in the order of the file.
    pub fn findings(&self) -> &[Finding<K>] {
        &self.findings
    }

    /// Returns the number of errors.
    pub fn error_count(&self) -> usize {
        let errors = self.findings.iter().filter(|finding| finding.is_error());
        errors.count()
    }

    /// Returns the number of warnings.
    pub fn warning_count(&self) -> usize {
        self.findings.len() - self.error_count()
    }

    /// Renders the report as plain text: each message with the quoted lines of the file and its
    /// help.
    pub fn to_text(&self) -> String {
        let findings = self.findings.iter();
        let findings: String = findings.map(|f| f.to_text(&self.source)).collect();
        format!("{self}{findings}")
    }
}

impl<K: DiagnosticKind> Display for Report<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = [
            (self.error_count(), "error"),
            (self.warning_count(), "warning"),
        ];
        let counted = counted.iter().filter(|(count, _)| *count > 0);
        let counted: Vec<_> = counted
            .map(|(count, noun)| format!("{count} {noun}{}", if *count == 1 { "" } else { "s" }))
            .collect();
        match counted.is_empty() {
            true => write!(f, "nothing found in {}", self.source.name),
            false => write!(f, "{} in {}", counted.join(" and "), self.source.name),
        }
    }
}

impl<K: DiagnosticKind> std::error::Error for Report<K> {}

impl<K: DiagnosticKind> Diagnostic for Report<K> {
    fn severity(&self) -> Option<Severity> {
        Some(match self.error_count() {
            0 => Severity::Warning,
            _ => Severity::Error,
        })
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

impl<K: DiagnosticKind> Finding<K> {
    /// Makes a finding at `labels`, the main place first.
    pub fn new(kind: impl Into<K>, labels: Vec<Label>) -> Self {
        Self {
            kind: kind.into(),
            labels,
            more: Vec::new(),
        }
    }

    /// Makes a finding at one place.
    pub fn at(span: Span, kind: impl Into<K>) -> Self {
        Self::new(kind, vec![Label { span, text: None }])
    }

    /// Adds another place, with the reason `why` this place matters.
    pub fn with(mut self, span: Span, why: impl Into<String>) -> Self {
        self.labels.push(Label::new(span, why));
        self
    }

    /// Returns the main place: an attribute with its value, or the start of an opening tag.
    pub fn span(&self) -> Option<Span> {
        self.labels.first().map(|label| label.span)
    }

    /// Returns whether the finding is an error. Otherwise the finding is a warning.
    pub fn is_error(&self) -> bool {
        self.kind.severity().unwrap_or(K::SEVERITY) == Severity::Error
    }

    /// Returns the places of this finding, then the places of the joined findings. The first place
    /// of each joined finding shows the message of that finding.
    fn places(&self) -> Vec<Label> {
        let mut places = self.labels.clone();
        for other in &self.more {
            let first = places.len();
            places.extend(other.labels.iter().cloned());
            if let Some(place) = places.get_mut(first) {
                place.text = Some(other.kind.to_string());
            }
        }
        places
    }

    /// Returns the help for all joined findings: the common help, or the help of the first finding.
    fn joint_help(&self) -> Option<String> {
        let help = self.kind.help()?.to_string();
        let mut others = self.more.iter().filter_map(|other| other.kind.help());
        Some(match others.all(|other| other.to_string() == help) {
            true => help,
            false => format!("for the first: {help}"),
        })
    }

    fn to_text(&self, source: &Source) -> String {
        let mut text = format!("\n{self}");
        for Label { span, text: what } in self.places() {
            if let Some(what) = what {
                text.push_str(&format!("\n{what}"));
            }
            text.push_str(&format!("\n{}", source.excerpt(span)));
        }
        if let Some(help) = self.joint_help() {
            text.push_str(&format!("\n= help: {help}"));
        }
        text
    }
}

impl<K: DiagnosticKind> Diagnostic for Finding<K> {
    fn severity(&self) -> Option<Severity> {
        self.kind.severity().or(Some(K::SEVERITY))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        Some(Box::new(self.joint_help()?))
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let places = self.places();
        let has_several = places.len() > 1;
        let labels = places.into_iter().enumerate();
        Some(Box::new(labels.map(
            move |(index, Label { span, text })| match index {
                0 => {
                    let text = text.or(has_several.then(|| "here".to_owned()));
                    LabeledSpan::new_primary_with_span(text, span)
                }
                _ => LabeledSpan::new_with_span(text, span),
            },
        )))
    }
}

impl Label {
    /// Makes a label with a text about `span`.
    pub fn new(span: Span, text: impl Into<String>) -> Self {
        Self {
            span,
            text: Some(text.into()),
        }
    }
}

/// Formats the number of findings that were joined with the first finding.
fn and_more(count: usize) -> String {
    match count {
        0 => String::new(),
        _ => format!(" (and {count} more like it)"),
    }
}
