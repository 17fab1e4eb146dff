//! Tracks the terminal settings that a program changes with escape codes, and restores the settings
//! after the program has ended.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal, Write};
use std::mem;

/// The private modes that are on in a new terminal. All other modes are off.
const ON_AT_FIRST: [u16; 2] = [7, 25];

/// Parses the escape codes in the output to the terminal (ECMA-48, and DEC's private codes as in
/// xterm).
#[derive(Debug, Default)]
pub(crate) struct Screen {
    state: State,
    changed: Changed,
}

/// The settings that differ from the settings of a new terminal.
#[derive(Debug, Default)]
struct Changed {
    /// Modes of `CSI ? NUMBER h` and `l`: the cursor, the alternate screen, the mouse, …
    modes: BTreeSet<u16>,
    has_style: bool,
    has_margins: bool,
    has_charset: bool,
    has_keypad: bool,
    has_cursor_shape: bool,
    is_inserting: bool,
}

/// The position of the next character in an escape code.
#[derive(Debug, Default)]
enum State {
    #[default]
    Text,
    Escape,
    Charset,
    /// A control sequence, and its characters so far.
    Sequence(String),
    /// A string for the terminal, such as its title.
    String,
}

impl Screen {
    /// Processes the next piece of output to the terminal.
    pub(crate) fn hear(&mut self, piece: &str) {
        for c in piece.chars() {
            self.state = self.next(c);
        }
    }

    fn next(&mut self, c: char) -> State {
        match (mem::take(&mut self.state), c) {
            (_, '\x1b') => State::Escape,
            (_, '\x18' | '\x1a') | (State::String, '\x07') => State::Text,
            (State::Text, c) => {
                self.changed.has_charset |= c == '\x0e';
                State::Text
            }
            (State::Escape, '[') => State::Sequence(String::new()),
            (State::Escape, ']' | 'P' | '^' | '_' | 'X') => State::String,
            (State::Escape, '(' | ')' | '*' | '+') => State::Charset,
            (State::Escape, c) => {
                match c {
                    'c' => self.changed = Changed::default(),
                    '=' => self.changed.has_keypad = true,
                    _ => {}
                }
                State::Text
            }
            (State::Charset, _) => {
                self.changed.has_charset = true;
                State::Text
            }
            (State::Sequence(sequence), '@'..='~') => {
                self.changed.sequence(&sequence, c);
                State::Text
            }
            (State::Sequence(mut sequence), c) => {
                // Valid codes are shorter. The limit bounds the memory for an endless code.
                if sequence.len() < 256 {
                    sequence.push(c);
                }
                State::Sequence(sequence)
            }
            (State::String, _) => State::String,
        }
    }

    /// Returns the codes that restore the terminal's settings. The text is empty if nothing has
    /// changed.
    fn restoring(&self) -> String {
        let mut codes = String::new();
        if !matches!(self.state, State::Text) {
            codes.push('\x18'); // Cancels an unfinished code.
        }
        let Changed {
            modes,
            has_style,
            has_margins,
            has_charset,
            has_keypad,
            has_cursor_shape,
            is_inserting,
        } = &self.changed;
        for mode in modes {
            let end = match ON_AT_FIRST.contains(mode) {
                true => 'h',
                false => 'l',
            };
            codes.push_str(&format!("\x1b[?{mode}{end}"));
        }
        let rest = [
            // Setting the margins moves the cursor, so the cursor position is saved and restored.
            (has_margins, "\x1b7\x1b[r\x1b8"),
            (has_charset, "\x1b(B\x0f"),
            (has_keypad, "\x1b>"),
            (has_cursor_shape, "\x1b[0 q"),
            (is_inserting, "\x1b[4l"),
            (has_style, "\x1b[0m"),
        ];
        codes.extend(
            rest.into_iter()
                .filter(|(is, _)| **is)
                .map(|(_, code)| code),
        );
        codes
    }
}

impl Changed {
    /// Processes a control sequence that ends with `end`.
    fn sequence(&mut self, sequence: &str, end: char) {
        let is_on = end == 'h';
        match (sequence.strip_prefix('?'), end) {
            (Some(numbers), 'h' | 'l') => {
                for mode in numbers.split(';').filter_map(|number| number.parse().ok()) {
                    match is_on == ON_AT_FIRST.contains(&mode) {
                        true => self.modes.remove(&mode),
                        false => self.modes.insert(mode),
                    };
                }
            }
            (None, 'h' | 'l') if sequence.split(';').any(|number| number == "4") => {
                self.is_inserting = is_on;
            }
            (None, 'm') => self.has_style = !matches!(sequence, "" | "0"),
            (None, 'r') => self.has_margins = !sequence.is_empty(),
            (None, 'q') if sequence.ends_with(' ') => self.has_cursor_shape = true,
            _ => {}
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let mut out = io::stdout();
        if out.is_terminal() {
            // Writing fails only if the terminal was closed.
            let _ = out.write_all(self.restoring().as_bytes());
            let _ = out.flush();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_changed_settings_are_restored() {
        let check = |sent: &str, expect: &str| {
            for cut in (0..=sent.len()).filter(|cut| sent.is_char_boundary(*cut)) {
                let mut screen = Screen::default();
                screen.hear(&sent[..cut]);
                screen.hear(&sent[cut..]);
                assert_eq!(screen.restoring(), expect, "{sent:?} cut at {cut}");
            }
        };
        check("hello\n", "");
        check("\x1b[1mbold\x1b[0m \x1b[2J\x1b[3;4H", "");
        check("\x1b[31mred", "\x1b[0m");
        check("\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l");
        check("\x1b[?25l…\x1b[?25h", "");
        check("\x1b[?1000;1006h\x1b[?1006l", "\x1b[?1000l");
        check("\x1b[?7l", "\x1b[?7h");
        check("\x1b[2;20r", "\x1b7\x1b[r\x1b8");
        check("\x1b(0lqk", "\x1b(B\x0f");
        check("\x0e", "\x1b(B\x0f");
        check("\x1b=", "\x1b>");
        check("\x1b[4 q", "\x1b[0 q");
        check("\x1b[4h", "\x1b[4l");
        check("\x1b[?25l\x1bc", "");
        check("\x1b]0;title [?25l\x07", "");
        check("\x1b]0;title that does not end", "\x18");
        check("\x1b[31", "\x18");
        check("\x1b[?99999999999l\x1b[?xh", "");
    }
}
