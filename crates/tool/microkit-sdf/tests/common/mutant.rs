//! Makes mutants: systems of the corpus with a few changes.

use std::fs;

use proptest::num::usize::ANY as ANYWHERE;
use proptest::prelude::*;

/// A system, and the changes to its text.
#[derive(Debug, Clone)]
pub(crate) struct Mutant {
    of: String,
    edits: Vec<Edit>,
}

/// A change. Each place is a number modulo the number of possible places.
#[derive(Debug, Clone)]
enum Edit {
    /// Replaces `len` bytes with a word.
    Bytes { at: usize, len: usize, word: usize },
    /// Replaces the value between two quotes with a word or another value.
    Value { of: usize, by: usize },
    /// Removes a line.
    Remove { line: usize },
    /// Copies a line to the place before another line.
    Copy { line: usize, to: usize },
}

/// Texts that are likely to be valid somewhere in a system file.
const WORDS: [&str; 36] = [
    "\"",
    "<",
    "/>",
    ">",
    "=",
    "&",
    "&#x31;",
    "-",
    "_",
    "0x",
    "18446744073709551615",
    "true",
    "ö",
    "\u{1d11e}",
    "\t",
    "\r\n",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<protection_domain>",
    "xmlns=",
    ":",
    " ",
    "",
    "0",
    "1",
    "62",
    "64",
    "256",
    "0x1000",
    "0x200000",
    "0xff_ffff_d000",
    "rw",
    "false",
    "edge",
];

/// Generates a mutant of any system in these folders.
pub(crate) fn any(folders: &[&str]) -> impl Strategy<Value = Mutant> + use<> {
    let paths: Vec<_> = folders
        .iter()
        .flat_map(|folder| super::systems(folder))
        .collect();
    let texts: Vec<_> = paths
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let edit = prop_oneof![
        1 => (ANYWHERE, 0_usize..40, ANYWHERE)
            .prop_map(|(at, len, word)| Edit::Bytes { at, len, word }),
        6 => (ANYWHERE, ANYWHERE).prop_map(|(of, by)| Edit::Value { of, by }),
        1 => ANYWHERE.prop_map(|line| Edit::Remove { line }),
        2 => (ANYWHERE, ANYWHERE).prop_map(|(line, to)| Edit::Copy { line, to }),
    ];
    (
        prop::sample::select(texts),
        prop::collection::vec(edit, 1..4),
    )
        .prop_map(|(of, edits)| Mutant { of, edits })
}

impl Mutant {
    /// Returns the text with the changes.
    pub(crate) fn text(&self) -> String {
        self.edits
            .iter()
            .fold(self.of.clone(), |text, edit| edit.apply(text))
    }
}

impl Edit {
    fn apply(&self, mut text: String) -> String {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        match *self {
            Self::Bytes { at, len, word } => {
                let start = boundary(&text, at % (text.len() + 1));
                let end = boundary(&text, (start + len).min(text.len())).max(start);
                text.replace_range(start..end, WORDS[word % WORDS.len()]);
            }
            Self::Value { of, by } => {
                let mut parts: Vec<&str> = text.split('"').collect();
                // Every second part is between quotes.
                let values: Vec<&str> = parts.iter().skip(1).step_by(2).copied().collect();
                if !values.is_empty() {
                    let new = by % (values.len() + WORDS.len());
                    let new = values.get(new).or_else(|| WORDS.get(new - values.len()));
                    parts[1 + 2 * (of % values.len())] = new.copied().unwrap_or_default();
                    text = parts.join("\"");
                }
            }
            Self::Remove { line } if !lines.is_empty() => {
                text = [
                    &lines[..line % lines.len()],
                    &lines[line % lines.len() + 1..],
                ]
                .concat()
                .concat();
            }
            Self::Copy { line, to } if !lines.is_empty() => {
                let (before, after) = lines.split_at(to % lines.len());
                text = [before, &[lines[line % lines.len()]], after]
                    .concat()
                    .concat();
            }
            Self::Remove { .. } | Self::Copy { .. } => {}
        }
        text
    }
}

/// Returns the start of the character at byte `at`.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or_default()
}
