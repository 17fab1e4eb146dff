//! The text of a system file, and functions that quote its lines.

use std::fmt::{self, Debug};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::Span;

/// Holds a system file: its name and its text.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Source {
    /// The name of the file in reports.
    pub name: String,
    /// The text of the file.
    pub text: Arc<str>,
}

impl Source {
    /// Reads the system file at `path`. Reports use `name` as the name of the file.
    ///
    /// # Errors
    ///
    /// Returns the error of the operating system, or [`InvalidData`](io::ErrorKind::InvalidData) if
    /// the file is not UTF-8.
    pub fn open(path: &Path, name: impl Into<String>) -> io::Result<Self> {
        let text = String::from_utf8(fs::read(path)?).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let message = format!("it is not UTF-8 from byte {valid} on");
            io::Error::new(io::ErrorKind::InvalidData, message)
        })?;
        Ok(Self::new(name, text))
    }

    /// Makes a source from the text of a system file. Reports use `name` as the name of the file.
    pub fn new(name: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
        }
    }

    /// Returns the number of the line in which `span` begins, counted from 1.
    pub fn line(&self, span: Span) -> usize {
        let before = self.text.get(..span.start).unwrap_or_default();
        before.matches('\n').count() + 1
    }

    /// Quotes the line in which `span` begins, with `span` underlined:
    ///
    /// ```text
    ///   --> ping.system:27:9
    ///    |
    /// 27 |         <end pd="ping" id="1" />
    ///    |         ^^^^
    /// ```
    pub fn excerpt(&self, span: Span) -> String {
        let text = &*self.text;
        let before = text.get(..span.start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let number = self.line(span);
        let indent = &before[line_start..];
        let shown = text[line_start..].lines().next().unwrap_or_default();
        let column = indent.chars().count() + 1;
        let margin = " ".repeat(number.to_string().len());
        // Tabs are kept, so the marks are aligned with the marked text.
        let blank: String = indent
            .chars()
            .map(|c| if c == '\t' { c } else { ' ' })
            .collect();
        let marked = text.get(span.start..span.end).unwrap_or_default();
        let marked = marked.lines().next().unwrap_or_default();
        let marks = "^".repeat(marked.chars().count().max(1));
        let name = &self.name;
        format!(
            "{margin}--> {name}:{number}:{column}\n{margin} |\n{number} | {shown}\n{margin} | {blank}{marks}"
        )
    }
}

/// Formats the source without its text, because the text is long.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_underlines_the_first_line_of_its_span() {
        let check = |text: &str, span: (usize, usize), expect: &str| {
            let (start, end) = span;
            let source = Source::new("x.system", text);
            assert_eq!(source.excerpt(Span { start, end }), expect, "{text:?}");
        };
        check(
            "<a>\n\t<b x\n/>",
            (5, 11),
            " --> x.system:2:2\n  |\n2 | \t<b x\n  | \t^^^^",
        );
        check("", (0, 0), " --> x.system:1:1\n  |\n1 | \n  | ^");
    }
}
