//! Makes the text of a program safe for a report: shows control characters as text instead of
//! sending the characters to the terminal.

use std::fmt::Write;

/// The number of characters that a report shows from the beginning, and from the end, of a long
/// line.
const END_CHARS: usize = 200;

/// Returns `line` with its control characters written as `\x1b` or `\u{202e}`.
///
/// Omits the middle of a long line, because a program that draws on the terminal may never end its
/// line.
pub(crate) fn readable(line: &str) -> String {
    let count = line.chars().count();
    if count <= 2 * END_CHARS {
        return shown(line.chars());
    }
    let (start, end) = (
        line.chars().take(END_CHARS),
        line.chars().skip(count - END_CHARS),
    );
    let left_out = count - 2 * END_CHARS;
    format!(
        "{} … ({left_out} characters) … {}",
        shown(start),
        shown(end)
    )
}

fn shown(chars: impl Iterator<Item = char>) -> String {
    let mut text = String::new();
    for c in chars {
        // Writing to a string cannot fail.
        let _ = match c {
            '\t' => write!(text, "{c}"),
            '\0'..='\x1f' | '\x7f' => write!(text, "\\x{:02x}", u32::from(c)),
            c if c.is_control() || turns_text(c) => write!(text, "{}", c.escape_unicode()),
            _ => write!(text, "{c}"),
        };
    }
    text
}

/// Returns whether a character ends a line, or changes the direction of text.
fn turns_text(c: char) -> bool {
    matches!(
        c,
        '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_and_nothing_else_is_changed() {
        let check = |line: &str, expect: &str| assert_eq!(readable(line), expect, "{line:?}");
        check("", "");
        check("pingüino →\t→ ok", "pingüino →\t→ ok");
        check("\x1b[2J\x1b[1;31mred", "\\x1b[2J\\x1b[1;31mred");
        check("a\x07b\x7fc\0", "a\\x07b\\x7fc\\x00");
        check("\u{9b}2J", "\\u{9b}2J");
        check("a\u{202e}b", "a\\u{202e}b");
    }

    #[test]
    fn a_long_line_keeps_its_beginning_and_its_end() {
        let line = format!("start{}end", "\x1b[H".repeat(1000));
        let text = readable(&line);
        assert!(
            text.starts_with("start\\x1b[H") && text.ends_with("\\x1b[Hend"),
            "{text}"
        );
        assert!(
            text.contains("… (2608 characters) …") && text.len() < 2000,
            "{text}"
        );
    }
}
