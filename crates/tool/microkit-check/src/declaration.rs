//! Declarations of a program's waits: text in a section of the ELF file, one line per wait.
//!
//! ```text
//! version 1
//! call 3 in notified 1
//! lock ring in init
//! wait 4 in protected holding ring
//! ```
//!
//! The order of the lines has no meaning, because a linker may change the order.

use std::fmt;

use thiserror::Error;

/// The name of the section in the ELF file. The section is not loaded.
pub const SECTION: &str = ".microkit.waits";

/// The maximum number of lines in a declaration. A program has at most 62 channels.
const MAX_LINES: usize = 1024;

/// The maximum number of held locks in one line.
const MAX_HELD: usize = 64;

/// Declares all waits of a program.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Declaration {
    /// The waits, sorted and without duplicates.
    pub statements: Vec<Statement>,
}

/// Declares one possible wait of a program.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Statement {
    /// The place in the program.
    pub context: Context,
    /// The event that the program waits for.
    pub step: Step,
    /// The locks that the program holds during the wait, in the order of acquisition.
    pub holding: Vec<String>,
}

/// A place in a program.
#[derive(Debug, Copy, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Context {
    /// In the initialisation.
    Init,
    /// In the handler of notifications: of this channel, or of any channel.
    Notified(Option<u8>),
    /// In the protected procedure: called over this channel, or over any channel.
    Protected(Option<u8>),
    /// In the handler of faults: of this child, or of any child.
    Fault(Option<u8>),
}

/// The event that a program waits for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The reply to a call over this channel.
    Call(u8),
    /// An interrupt on this channel, or an action of the channel's peer, such as a notification.
    Wait(u8),
    /// The release of this lock by its holder.
    Lock(String),
}

/// The reason why a text is not a valid declaration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DeclarationError {
    /// The bytes are not UTF-8 text.
    #[error("it is not UTF-8")]
    NotText,
    /// No line states the version.
    #[error("no line says `version 1`")]
    NoVersion,
    /// The declaration has too many lines.
    #[error("it has more than {MAX_LINES} lines")]
    TooLong,
    /// A line cannot be parsed.
    #[error("`{line}` is not understood")]
    Line {
        /// The line, cut to a readable length.
        line: String,
    },
}

impl Declaration {
    /// Reads the text of a declaration.
    ///
    /// # Errors
    ///
    /// Returns an error if a line cannot be parsed, if no line states the version, or if there are
    /// too many lines.
    pub fn parse(text: &str) -> Result<Self, DeclarationError> {
        let mut has_version = false;
        let mut statements = Vec::new();
        for (index, line) in text.lines().enumerate() {
            if index >= MAX_LINES {
                return Err(DeclarationError::TooLong);
            }
            match line {
                "version 1" => has_version = true,
                line => statements.push(statement(line).ok_or_else(|| DeclarationError::Line {
                    line: line.chars().take(80).collect(),
                })?),
            }
        }
        if !has_version {
            return Err(DeclarationError::NoVersion);
        }
        statements.sort();
        statements.dedup();
        Ok(Self { statements })
    }

    /// Reads the bytes of the section [`SECTION`].
    ///
    /// # Errors
    ///
    /// Returns the errors of [`parse`](Self::parse), or an error if the bytes are not UTF-8.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DeclarationError> {
        Self::parse(std::str::from_utf8(bytes).map_err(|_| DeclarationError::NotText)?)
    }
}

fn statement(line: &str) -> Option<Statement> {
    let mut words = line.split(' ').peekable();
    let step = match (words.next()?, words.next()?) {
        ("call", id) => Step::Call(id.parse().ok()?),
        ("wait", id) => Step::Wait(id.parse().ok()?),
        ("lock", name) => Step::Lock(lock_name(name)?),
        _ => return None,
    };
    if words.next()? != "in" {
        return None;
    }
    let context = words.next()?;
    let of = words.next_if(|word| *word != "holding");
    let of = of.map(str::parse).transpose().ok()?;
    let context = match context {
        "init" if of.is_none() => Context::Init,
        "notified" => Context::Notified(of),
        "protected" => Context::Protected(of),
        "fault" => Context::Fault(of),
        _ => return None,
    };
    let holding = match words.next() {
        Some("holding") => words.map(lock_name).collect::<Option<Vec<_>>>()?,
        Some(_) => return None,
        None => Vec::new(),
    };
    (holding.len() <= MAX_HELD).then_some(Statement {
        context,
        step,
        holding,
    })
}

fn lock_name(word: &str) -> Option<String> {
    let is_name = !word.is_empty() && !word.contains(char::is_whitespace);
    is_name.then(|| word.to_owned())
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, of) = match self {
            Self::Init => ("init", None),
            Self::Notified(of) => ("notified", *of),
            Self::Protected(of) => ("protected", *of),
            Self::Fault(of) => ("fault", *of),
        };
        match of {
            Some(id) => write!(f, "{name}({id})"),
            None => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_read() {
        let check = |line: &str, context, step, holding: &[&str]| {
            let text = format!("{line}\nversion 1\n");
            let declaration = Declaration::parse(&text).expect(line);
            let holding = holding.iter().map(|name| (*name).to_owned()).collect();
            let expect = Statement {
                context,
                step,
                holding,
            };
            assert_eq!(declaration.statements, [expect], "{line}");
        };
        let lock = |name: &str| Step::Lock(name.to_owned());
        check("call 3 in init", Context::Init, Step::Call(3), &[]);
        check(
            "wait 0 in notified",
            Context::Notified(None),
            Step::Wait(0),
            &[],
        );
        check(
            "lock a in notified 7",
            Context::Notified(Some(7)),
            lock("a"),
            &[],
        );
        check(
            "call 1 in protected 61",
            Context::Protected(Some(61)),
            Step::Call(1),
            &[],
        );
        check(
            "call 1 in fault 2 holding a b",
            Context::Fault(Some(2)),
            Step::Call(1),
            &["a", "b"],
        );
        check(
            "lock b in protected holding a",
            Context::Protected(None),
            lock("b"),
            &["a"],
        );
    }

    #[test]
    fn the_order_and_repetition_of_lines_mean_nothing() {
        let one = Declaration::parse("version 1\ncall 1 in init\nwait 2 in init\n");
        let other = Declaration::parse("wait 2 in init\ncall 1 in init\ncall 1 in init\nversion 1");
        assert_eq!(one, other);
    }

    #[test]
    fn what_is_no_declaration_is_refused() {
        let check = |text: &str, expect: DeclarationError| {
            assert_eq!(Declaration::parse(text), Err(expect), "{text}");
        };
        check("", DeclarationError::NoVersion);
        check("call 1 in init", DeclarationError::NoVersion);
        check(&"version 1\n".repeat(1025), DeclarationError::TooLong);
        for line in [
            "",
            "call",
            "call 1",
            "call 1 in",
            "call 1 on init",
            "call x in init",
            "call 256 in init",
            "call 1 in init 3",
            "call 1 in sleep",
            "jump 1 in init",
            "call 1 in notified x",
            "lock  in init",
            "call 1 in notified 1 2",
            "version 2",
            "call 1 in init holding ",
        ] {
            let line = line.to_owned();
            check(
                &format!("version 1\n{line}\n"),
                DeclarationError::Line { line },
            );
        }
        assert_eq!(
            Declaration::from_bytes(b"\xff"),
            Err(DeclarationError::NotText)
        );
    }
}
