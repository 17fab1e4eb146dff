//! Excerpts of the system file for compile errors.

use microkit_sdf::{Source, Span};

/// Returns the line where `span` starts, with `span` underlined:
///
/// ```text
///   --> ping.system:27:9
///    |
/// 27 |         <end pd="ping" id="1" />
///    |         ^^^^
/// ```
pub(crate) fn excerpt(source: &Source, span: Span) -> String {
    let text = &*source.text;
    let before = text.get(..span.start).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let number = line(source, span);
    let indent = &before[line_start..];
    let shown = text[line_start..].lines().next().unwrap_or_default();
    let column = indent.chars().count() + 1;
    let margin = " ".repeat(number.to_string().len());
    // Tabs stay tabs, so that the marks line up with the text above.
    let blank: String = indent
        .chars()
        .map(|c| if c == '\t' { c } else { ' ' })
        .collect();
    let marked = text.get(span.start..span.end).unwrap_or_default();
    let marks = "^".repeat(
        marked
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            .max(1),
    );
    let name = &source.name;
    format!(
        "{margin}--> {name}:{number}:{column}\n{margin} |\n{number} | {shown}\n{margin} | {blank}{marks}"
    )
}

/// Returns the number of the line where `span` starts, counted from 1.
pub(crate) fn line(source: &Source, span: Span) -> usize {
    let before = source.text.get(..span.start).unwrap_or_default();
    before.matches('\n').count() + 1
}
