//! Reads the attributes of one XML element by name and type. Reports a value of the wrong type.

use std::cell::RefCell;
use std::str::FromStr;

use roxmltree::Node;

use crate::Span;
use crate::draft::At;
use crate::error::{SdfError, SdfErrorKind};
use crate::options::Options;
use crate::warning::{Warning, WarningKind};

/// The input of the readers and the checks, and the collected reports.
pub(crate) struct Context<'a> {
    pub(crate) options: Options<'a>,
    pub(crate) text: &'a str,
    pub(crate) errors: RefCell<Vec<SdfError>>,
    pub(crate) warnings: RefCell<Vec<Warning>>,
}

impl Context<'_> {
    pub(crate) fn error(&self, span: Span, kind: SdfErrorKind) {
        self.errors.borrow_mut().push(SdfError::at(span, kind));
    }

    /// Reports an error at `span`. `other` is a second place, and `why` states why the second place
    /// matters.
    pub(crate) fn clash(&self, span: Span, other: Span, why: &'static str, kind: SdfErrorKind) {
        self.errors
            .borrow_mut()
            .push(SdfError::at(span, kind).with(other, why));
    }

    pub(crate) fn warn(&self, span: Span, kind: WarningKind) {
        self.warnings.borrow_mut().push(Warning::at(span, kind));
    }
}

/// An element of the file.
///
/// Each method that reads a value also reports an invalid value. `None` means that the value is
/// absent or invalid. Callers need not distinguish these cases, because no system is made from a
/// file with an error.
#[derive(Copy, Clone)]
pub(crate) struct Element<'a> {
    node: Node<'a, 'a>,
    pub(crate) cx: &'a Context<'a>,
}

impl<'a> Element<'a> {
    pub(crate) fn new(node: Node<'a, 'a>, cx: &'a Context<'a>) -> Self {
        Self { node, cx }
    }

    /// Returns the name without its namespace. Microkit ignores namespaces.
    pub(crate) fn name(&self) -> &'a str {
        self.node.tag_name().name()
    }

    /// Returns the place of the opening tag, from `<` to the end of the name: `<map`.
    pub(crate) fn span(&self) -> Span {
        let Span { start, end } = self.node.range().into();
        let ends_name = |c: char| c.is_whitespace() || c == '/' || c == '>';
        let tag = self.cx.text.get(start..end).unwrap_or_default();
        Span {
            start,
            end: start + tag.find(ends_name).unwrap_or(tag.len()),
        }
    }

    pub(crate) fn error(&self, kind: SdfErrorKind) {
        self.cx.error(self.span(), kind);
    }

    /// Reports each attribute that is not one of `allowed`.
    pub(crate) fn only(&self, allowed: &'static [&'static str]) {
        for attribute in self.node.attributes() {
            let span = attribute.range().into();
            if !allowed.contains(&attribute.name()) {
                let (attribute, element) = (attribute.name().to_owned(), self.name().to_owned());
                self.cx.error(
                    span,
                    SdfErrorKind::UnknownAttribute {
                        attribute,
                        element,
                        allowed,
                    },
                );
            } else if attribute.namespace().is_some() {
                self.cx.warn(
                    span,
                    WarningKind::Ignored {
                        what: "an attribute with a namespace",
                    },
                );
            }
        }
    }

    /// Warns of each attribute, because Microkit ignores the attributes of this element.
    pub(crate) fn ignore_attributes(&self) {
        for attribute in self.node.attributes() {
            let what = "an attribute of `system`";
            self.cx
                .warn(attribute.range().into(), WarningKind::Ignored { what });
        }
    }

    /// Returns the child elements, and the text between them. Skips text that consists of spaces.
    pub(crate) fn content(&self) -> impl Iterator<Item = Content<'a>> + use<'a> {
        let cx = self.cx;
        self.node.children().filter_map(move |child| {
            if child.is_element() {
                return Some(Content::Element(Self::new(child, cx)));
            }
            let is_text = child.is_text() && child.text().is_some_and(|t| !t.trim().is_empty());
            is_text.then(|| Content::Text(first_line(cx.text, child.range().into())))
        })
    }

    /// Returns the child elements. Warns of text between them, because Microkit ignores such text.
    pub(crate) fn children(&self) -> impl Iterator<Item = Element<'a>> + use<'a> {
        let cx = self.cx;
        self.content().filter_map(move |content| match content {
            Content::Element(element) => Some(element),
            Content::Text(span) => {
                cx.warn(span, WarningKind::Ignored { what: "this text" });
                None
            }
        })
    }

    /// Warns of everything inside this element, because Microkit ignores the content.
    pub(crate) fn ignore_content(&self) {
        for child in self.children() {
            self.cx.warn(
                child.span(),
                WarningKind::Ignored {
                    what: "this element",
                },
            );
        }
    }

    /// Returns whether the attribute exists, with any value.
    pub(crate) fn has(&self, attribute: &str) -> bool {
        self.optional(attribute).is_some()
    }

    /// Returns the text of the attribute.
    pub(crate) fn optional(&self, name: &str) -> Option<At<&'a str>> {
        // `Node::attribute` is wrong here, because it also finds attributes of another namespace.
        let found = self
            .node
            .attributes()
            .find(|a| a.name() == name && a.namespace().is_none());
        found.map(|a| At {
            value: a.value(),
            span: a.range().into(),
        })
    }

    /// Returns the text of the attribute. Reports a missing attribute.
    pub(crate) fn required(&self, attribute: &'static str) -> Option<At<&'a str>> {
        let found = self.optional(attribute);
        if found.is_none() {
            let element = self.name().to_owned();
            self.error(SdfErrorKind::MissingAttribute { attribute, element });
        }
        found
    }

    /// Returns a number in any form: decimal or hexadecimal, with or without `_`.
    pub(crate) fn number(&self, attribute: &'static str) -> Option<At<u64>> {
        self.any_number(self.optional(attribute)?)
    }

    /// Returns a number in any form. Reports a missing attribute.
    pub(crate) fn required_number(&self, attribute: &'static str) -> Option<At<u64>> {
        self.any_number(self.required(attribute)?)
    }

    /// Returns a number in any form, or `default` if the attribute is absent.
    pub(crate) fn number_or(&self, attribute: &'static str, default: u64) -> Option<At<u64>> {
        match self.optional(attribute) {
            Some(written) => self.any_number(written),
            None => Some(At {
                value: default,
                span: self.span(),
            }),
        }
    }

    fn any_number(&self, written: At<&str>) -> Option<At<u64>> {
        let value = number(written.value);
        if value.is_none() {
            let value = written.value.to_owned();
            self.cx
                .error(written.span, SdfErrorKind::NotANumber { value });
        }
        value.map(|value| written.with(value))
    }

    /// Returns a decimal number that fits a `T`. Reports a missing attribute.
    pub(crate) fn required_decimal<T: FromStr>(&self, attribute: &'static str) -> Option<At<T>> {
        let written = self.required(attribute)?;
        let value = written.value.parse().ok();
        if value.is_none() {
            let value = written.value.to_owned();
            self.cx
                .error(written.span, SdfErrorKind::NotADecimal { value });
        }
        value.map(|value| written.with(value))
    }

    /// Returns the identifier of a channel or IRQ: a decimal number up to `max`.
    pub(crate) fn decimal_id(&self, max: u64) -> Option<At<u8>> {
        let id = self.required_decimal::<i64>("id")?;
        self.in_range("id", id, 0, max)
    }

    /// Returns `number` as a `T` if the number is in `min..=max`. Both limits must fit in a `T`.
    pub(crate) fn in_range<N, T>(
        &self,
        attribute: &'static str,
        number: At<N>,
        min: u64,
        max: u64,
    ) -> Option<At<T>>
    where
        N: Copy + ToString + TryInto<u64>,
        T: TryFrom<u64>,
    {
        let within = number
            .value
            .try_into()
            .ok()
            .filter(|value| (min..=max).contains(value));
        let value = within.and_then(|value| value.try_into().ok());
        if value.is_none() {
            let value = number.value.to_string();
            self.cx.error(
                number.span,
                SdfErrorKind::OutOfRange {
                    attribute,
                    value,
                    min,
                    max,
                },
            );
        }
        value.map(|value| number.with(value))
    }

    /// Returns the value for the word in the attribute.
    pub(crate) fn word<T: Copy>(
        &self,
        attribute: &'static str,
        words: &'static [&'static str],
        meanings: &[T],
    ) -> Option<T> {
        let written = self.optional(attribute)?;
        let meaning = words
            .iter()
            .zip(meanings)
            .find(|(word, _)| **word == written.value);
        if meaning.is_none() {
            let value = written.value.to_owned();
            let kind = SdfErrorKind::NotOneOf {
                attribute,
                value,
                allowed: words,
            };
            self.cx.error(written.span, kind);
        }
        meaning.map(|(_, meaning)| *meaning)
    }

    /// Returns `true` or `false`, or `default` if the attribute is absent.
    pub(crate) fn flag(&self, attribute: &'static str, default: bool) -> bool {
        self.word(attribute, &["true", "false"], &[true, false])
            .unwrap_or(default)
    }

    /// Records the first occurrence of an element. Reports a later occurrence.
    pub(crate) fn once(&self, first: &mut Option<Span>, parent: &'static str, name: &'static str) {
        match *first {
            None => *first = Some(self.span()),
            Some(first) => {
                let kind = SdfErrorKind::ElementTwice {
                    element: name,
                    parent,
                };
                self.cx.clash(self.span(), first, "the first", kind);
            }
        }
    }
}

/// A child of an element.
pub(crate) enum Content<'a> {
    Element(Element<'a>),
    Text(Span),
}

/// Returns the first line within `span` that is not blank, without surrounding spaces.
fn first_line(text: &str, span: Span) -> Span {
    let within = text.get(span.start..span.end).unwrap_or_default();
    let trimmed = within.trim_start();
    let start = span.end - trimmed.len();
    Span {
        start,
        end: start + trimmed.lines().next().unwrap_or_default().trim_end().len(),
    }
}

/// Parses a number like Microkit does: `_` is ignored everywhere, and the prefix `0x` makes the
/// number hexadecimal.
pub(crate) fn number(written: &str) -> Option<u64> {
    let digits = written.replace('_', "");
    match digits.strip_prefix("0x") {
        Some(hexadecimal) => u64::from_str_radix(hexadecimal, 16),
        None => digits.parse(),
    }
    .ok()
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_are_read_as_the_tool_reads_them() {
        let check = |written, expect| assert_eq!(number(written), expect, "{written:?}");
        check("10", Some(10));
        check("010", Some(10));
        check("+1_0", Some(10));
        check("0x1_0", Some(16));
        check("0x+10", Some(16));
        check("_0_x1_0_", Some(16));
        check("0xffff_ffff_ffff_ffff", Some(u64::MAX));
        check("18446744073709551616", None);
        check("0X10", None);
        check("0x", None);
        check("_", None);
        check("", None);
        check("-1", None);
        check(" 1", None);
        check("1e3", None);
    }
}
