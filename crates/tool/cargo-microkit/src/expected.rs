//! `.expected` files: the exact lines that a system must print, and the input between these lines.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use miette::{Result, miette};
use regex::Regex;
use similar::{ChangeTag, TextDiff};

use crate::files;
use crate::kernel;
use crate::readable::readable;
use crate::system::NamedSystem;
use crate::variant::Variant;

/// The content of an `.expected` file.
#[derive(Debug)]
pub(crate) enum Expectation {
    /// The system must print these lines.
    Lines(Vec<Expected>),
    /// The system must not run, for this reason.
    Skip(String),
    /// The build must refuse the system, with this text in the error report.
    Refused(String),
}

/// An expected line of output, or a line of input.
#[derive(Debug)]
pub(crate) struct Expected {
    text: String,
    kind: LineKind,
}

#[derive(Debug)]
enum LineKind {
    /// The system must print this line.
    Text,
    /// The system must print a line that matches this pattern.
    Pattern(Regex),
    /// Input that is sent after the system has printed all preceding lines.
    Typed(String),
}

/// The prefix of input lines.
const TYPED: &str = "type:";

/// Returns the `.expected` file for a system in a variant. The file for the model kernel, or for
/// the configuration, takes precedence over the common file.
pub(crate) fn file_for(system: &NamedSystem, variant: &Variant) -> Option<PathBuf> {
    let special = |what: &str| {
        let name = format!("{}.{what}.expected", system.name);
        system.path.with_file_name(name)
    };
    let model = (variant.kernel == kernel::KernelKind::Model).then(|| special("model"));
    let files = model
        .into_iter()
        .chain([special(&variant.config), common_file(system)]);
    files.into_iter().find(|file| file.is_file())
}

/// Returns the path of the common file, for all variants that have no separate file.
pub(crate) fn common_file(system: &NamedSystem) -> PathBuf {
    system
        .path
        .with_file_name(format!("{}.expected", system.name))
}

/// Reads an `.expected` file.
pub(crate) fn read(path: &Path) -> Result<Expectation> {
    let text = std::fs::read_to_string(path).map_err(|e| files::cannot("read", path, &e))?;
    parse(&text).map_err(|error| {
        miette!(
            help = "correct it, or delete it and write it by `cargo microkit test SYSTEM --bless`",
            "the file `{}` {error}",
            path.display()
        )
    })
}

fn parse(text: &str) -> Result<Expectation, String> {
    let lines: Vec<_> = text.lines().collect();
    if lines.is_empty() {
        return Err("is empty, and any system would pass it".to_owned());
    }
    if let [line] = lines[..]
        && let Some(reason) = line.strip_prefix("skip:")
    {
        return match reason.trim() {
            "" => Err("skips the system without a reason".to_owned()),
            reason => Ok(Expectation::Skip(reason.to_owned())),
        };
    }
    if let [line] = lines[..]
        && let Some(what) = line.strip_prefix("refused:")
    {
        return match what.trim() {
            "" => Err("does not say why the system must be refused".to_owned()),
            what => Ok(Expectation::Refused(what.to_owned())),
        };
    }
    if lines[0].starts_with(TYPED) {
        return Err(format!(
            "begins with `{TYPED}`, before the system can print that it is ready to read"
        ));
    }
    let expected = lines.iter().enumerate().map(|(i, line)| {
        Expected::parse(line)
            .map_err(|e| format!("has no valid regular expression in line {}: {e}", i + 1))
    });
    expected.collect::<Result<_, _>>().map(Expectation::Lines)
}

impl Expected {
    fn parse(line: &str) -> Result<Self, regex::Error> {
        let kind = if let Some(pattern) = line.strip_prefix("re:") {
            LineKind::Pattern(Regex::new(&format!("^(?:{})$", pattern.trim_start()))?)
        } else if let Some(typed) = line.strip_prefix(TYPED) {
            LineKind::Typed(typed.trim_start().to_owned())
        } else {
            LineKind::Text
        };
        Ok(Self {
            text: line.to_owned(),
            kind,
        })
    }

    /// Returns the line as written in the file.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Returns whether `line` matches this expected line.
    pub(crate) fn matches(&self, line: &str) -> bool {
        match &self.kind {
            LineKind::Text => self.text == line,
            LineKind::Pattern(pattern) => pattern.is_match(line),
            LineKind::Typed(_) => false,
        }
    }

    /// Returns the input, or `None` for a line of output.
    pub(crate) fn typed(&self) -> Option<&str> {
        match &self.kind {
            LineKind::Typed(text) => Some(text),
            LineKind::Text | LineKind::Pattern(_) => None,
        }
    }
}

/// Compares the lines of a system with the expected lines, one line at a time.
pub(crate) struct Judge<'a> {
    expected: &'a [Expected],
    seen: Vec<String>,
    /// The index of the first line that differs from the expected line.
    difference: Option<usize>,
}

/// The result of the comparison so far.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All lines match so far, and more lines are expected.
    Waiting,
    /// All expected lines have arrived.
    Complete,
    /// A line differs.
    Different,
}

impl<'a> Judge<'a> {
    /// Creates a judge for a system that has printed nothing yet.
    pub(crate) fn new(expected: &'a [Expected]) -> Self {
        Self {
            expected,
            seen: Vec::new(),
            difference: None,
        }
    }

    /// Processes the next line.
    pub(crate) fn hear(&mut self, line: String) {
        let at = self.seen.len();
        if self.difference.is_none() && !self.expected.get(at).is_some_and(|e| e.matches(&line)) {
            self.difference = Some(at);
        }
        self.seen.push(line);
    }

    /// Returns the input to send now, if all preceding lines have arrived. Marks the input as sent.
    pub(crate) fn take_typed(&mut self) -> Option<&'a str> {
        let next = self.expected.get(self.seen.len())?;
        let typed = next.typed().filter(|_| self.difference.is_none())?;
        self.seen.push(next.text.clone());
        Some(typed)
    }

    /// Returns the verdict on the lines so far.
    pub(crate) fn verdict(&self) -> Verdict {
        match self.difference {
            Some(_) => Verdict::Different,
            None if self.seen.len() == self.expected.len() => Verdict::Complete,
            None => Verdict::Waiting,
        }
    }

    /// Returns the next expected line, and its number.
    pub(crate) fn awaited(&self) -> Option<(usize, &'a Expected)> {
        self.expected
            .get(self.seen.len())
            .map(|expected| (self.seen.len() + 1, expected))
    }

    /// Returns the next expected line if no other expected line follows.
    pub(crate) fn awaited_last(&self) -> Option<&'a Expected> {
        self.awaited()
            .filter(|(number, _)| *number == self.expected.len())
            .map(|(_, last)| last)
    }

    /// Returns the lines that were printed or sent.
    pub(crate) fn seen(&self) -> &[String] {
        &self.seen
    }

    /// Returns the number of the expected line at the first difference. Returns `None` if no line
    /// differs, or if all expected lines had already arrived.
    pub(crate) fn missed(&self) -> Option<usize> {
        self.difference
            .filter(|at| *at < self.expected.len())
            .map(|at| at + 1)
    }

    /// Returns the number of printed lines after the first difference, including the differing
    /// line.
    pub(crate) fn surplus(&self) -> usize {
        self.difference.map_or(0, |at| self.seen.len() - at)
    }

    /// Renders the lines around the first difference. Each line has its number in the file and in
    /// the log. `-` marks a missing line, `+` an unexpected line.
    pub(crate) fn diff(&self) -> String {
        const AFTER: usize = 5;
        let same = self.difference.unwrap_or(self.seen.len());
        // The diff shows the matched line in place of a pattern.
        let expected = self.seen[..same].iter().map(String::as_str);
        let expected = expected.chain(self.expected[same..].iter().map(|e| e.text.as_str()));
        let expected: Vec<_> = expected.take(same + AFTER).collect();
        let seen: Vec<_> = self
            .seen
            .iter()
            .map(String::as_str)
            .take(same + AFTER)
            .collect();

        let diff = TextDiff::from_slices(&expected, &seen);
        let mut text = String::new();
        for change in diff
            .grouped_ops(3)
            .iter()
            .flatten()
            .flat_map(|op| diff.iter_changes(op))
        {
            let sign = match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            let number =
                |index: Option<usize>| index.map_or(String::new(), |i| (i + 1).to_string());
            let (old, new) = (number(change.old_index()), number(change.new_index()));
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "{old:>5} {new:>5} {sign} {}",
                readable(change.value())
            );
        }
        text
    }
}

/// Returns the text of an `.expected` file for `seen`, and the unused patterns of the old file.
/// Each pattern that still matches replaces one line.
pub(crate) fn blessed<'a>(seen: &[String], before: &'a [Expected]) -> (String, Vec<&'a str>) {
    let mut patterns: Vec<_> = before
        .iter()
        .filter(|expected| matches!(expected.kind, LineKind::Pattern(_)))
        .collect();
    let mut text = String::new();
    for line in seen {
        let matching = patterns.iter().position(|pattern| pattern.matches(line));
        text.push_str(match matching {
            Some(at) => &patterns.remove(at).text,
            None => line,
        });
        text.push('\n');
    }
    let lost = patterns.iter().map(|pattern| pattern.text()).collect();
    (text, lost)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(text: &str) -> Vec<Expected> {
        match parse(text) {
            Ok(Expectation::Lines(lines)) => lines,
            other => panic!("{text:?} is {other:?}"),
        }
    }

    fn judge<'a>(expected: &'a [Expected], seen: &[&str]) -> Judge<'a> {
        let mut judge = Judge::new(expected);
        seen.iter().for_each(|line| judge.hear((*line).to_owned()));
        judge
    }

    #[test]
    fn lines_are_compared_whole_and_in_order() {
        let expected = expected("one\nre: two at 0x[0-9a-f]+\n\nfour");
        let check = |seen: &[&str], expect| {
            assert_eq!(judge(&expected, seen).verdict(), expect, "{seen:?}");
        };
        check(&[], Verdict::Waiting);
        check(&["one"], Verdict::Waiting);
        check(&["one", "two at 0x1f", "", "four"], Verdict::Complete);
        check(
            &["one", "two at 0x1f", "", "four", "five"],
            Verdict::Different,
        );
        check(&["one", "say two at 0x1f"], Verdict::Different);
        check(&["one", "two at 0x1f!"], Verdict::Different);
        check(&["One"], Verdict::Different);
        check(&["one", "two at 0x1f", "four"], Verdict::Different);
    }

    #[test]
    fn each_alternative_of_a_pattern_is_a_whole_line() {
        let expected = expected("re: one|two");
        let check = |line, expect| {
            assert_eq!(judge(&expected, &[line]).verdict(), expect, "{line:?}");
        };
        check("one", Verdict::Complete);
        check("two", Verdict::Complete);
        check("one more", Verdict::Different);
        check("all two", Verdict::Different);
    }

    #[test]
    fn a_line_is_typed_once_after_the_lines_before_it_have_come() {
        let expected = expected("name?\ntype: Ada\ntype:\nhello, Ada");
        let mut judge = Judge::new(&expected);
        assert_eq!(judge.take_typed(), None);
        judge.hear("name?".to_owned());
        assert_eq!(judge.take_typed(), Some("Ada"));
        assert_eq!(judge.take_typed(), Some(""));
        assert_eq!(judge.take_typed(), None);
        assert_eq!(judge.verdict(), Verdict::Waiting);
        judge.hear("hello, Ada".to_owned());
        assert_eq!(judge.verdict(), Verdict::Complete);

        let mut judge = Judge::new(&expected);
        judge.hear("what?".to_owned());
        assert_eq!(judge.take_typed(), None);
        assert_eq!(judge.missed(), Some(1));
    }

    #[test]
    fn a_file_has_lines_a_reason_to_skip_or_an_error() {
        let check = |text, expect: &str| {
            let said = match parse(text) {
                Ok(Expectation::Skip(reason)) => format!("skip {reason}"),
                Ok(Expectation::Refused(what)) => format!("refused {what}"),
                Ok(Expectation::Lines(lines)) => format!("{} lines", lines.len()),
                Err(error) => format!("it {}", error.lines().next().unwrap_or_default()),
            };
            assert_eq!(said, expect, "{text:?}");
        };
        check("skip: prints nothing\n", "skip prints nothing");
        check("skip: a\nb\n", "2 lines");
        check("refused: SMC calls\n", "refused SMC calls");
        check(
            "refused:\n",
            "it does not say why the system must be refused",
        );
        check("skip:\n", "it skips the system without a reason");
        check("", "it is empty, and any system would pass it");
        check("a\r\nb\n", "2 lines");
        check("\n", "1 lines");
        check("name?\ntype: x\n", "2 lines");
        check(
            "type: x\na\n",
            "it begins with `type:`, before the system can print that it is ready to read",
        );
        check(
            "a\nre:(\n",
            "it has no valid regular expression in line 2: regex parse error:",
        );
    }

    #[test]
    fn diff_shows_the_first_difference_with_its_numbers() {
        let expected = expected("one\nre:t.o\nthree\nfour\n");
        let check = |seen: &[&str], missed, expect: &str| {
            let judge = judge(&expected, seen);
            assert_eq!((judge.missed(), judge.diff().as_str()), (missed, expect));
        };
        check(
            &["one", "two", "drei", "four"],
            Some(3),
            "    1     1   one\n    2     2   two\n    3       - three\n          3 + drei\n    4     4   four\n",
        );
        check(
            &["one", "two", "three", "four", "five"],
            None,
            "    2     2   two\n    3     3   three\n    4     4   four\n          5 + five\n",
        );
        check(
            &[],
            None,
            "    1       - one\n    2       - re:t.o\n    3       - three\n    4       - four\n",
        );
    }

    #[test]
    fn blessing_keeps_the_patterns_that_still_match() {
        let before = expected("start\nre:at 0x.*\nre:took .* us\nend");
        let check = |seen: &[&str], expect: &str, lost: &[&str]| {
            let seen: Vec<_> = seen.iter().map(|line| (*line).to_owned()).collect();
            assert_eq!(blessed(&seen, &before), (expect.to_owned(), lost.to_vec()));
        };
        check(
            &["new", "start", "at 0x12", "at 0x13", "took 5 us"],
            "new\nstart\nre:at 0x.*\nat 0x13\nre:took .* us\n",
            &[],
        );
        // A pattern without a match does not remove the other patterns.
        check(&["took 7 us"], "re:took .* us\n", &["re:at 0x.*"]);
        check(&["no"], "no\n", &["re:at 0x.*", "re:took .* us"]);
    }
}
