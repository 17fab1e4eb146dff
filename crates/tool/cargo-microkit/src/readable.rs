//! Text of a program in a report: its control characters are shown, not obeyed.

use std::fmt::Write;

/// As many characters of a line as a report has of its beginning, and as many of its end.
const END_CHARS: usize = 200;

/// `line` with its control characters as `\x1b` or `\u{202e}`, and without its middle if it is
/// long: a program that draws may never end its line.
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
        // Writing to a string does not fail.
        let _ = match c {
            '\t' => write!(text, "{c}"),
            '\0'..='\x1f' | '\x7f' => write!(text, "\\x{:02x}", u32::from(c)),
            c if c.is_control() || turns_text(c) => write!(text, "{}", c.escape_unicode()),
            _ => write!(text, "{c}"),
        };
    }
    text
}

/// Whether a character ends lines, or changes the order in which others are shown.
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
    fn a_line_without_end_keeps_its_ends() {
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
