//! The names that Cargo accepts for a new package.

use std::fmt;

use miette::{Result, miette};

/// A valid name of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PackageName(String);

/// Names that Cargo rejects: keywords, and names that the compiler or Cargo's target folder uses.
/// For the names of Rust's own crates, Cargo only warns. They are rejected here, because the
/// programs of the package use these crates.
const RESERVED: [&str; 63] = [
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "build",
    "const",
    "continue",
    "core",
    "crate",
    "deps",
    "do",
    "dyn",
    "else",
    "enum",
    "examples",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "incremental",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc-macro",
    "proc_macro",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "union",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
    "_",
];

impl PackageName {
    /// Checks a name.
    ///
    /// # Errors
    ///
    /// Fails with the rule that the name breaks.
    pub(crate) fn new(name: &str) -> Result<Self> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let reason = if name.is_empty() {
            "it is empty".into()
        } else if let Some(wrong) = name.chars().find(|&c| !is_allowed(c)) {
            format!("it contains {wrong:?}")
        } else if name.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            "it does not begin with a letter".into()
        } else if RESERVED.contains(&name) {
            "Rust or Cargo uses it".into()
        } else {
            return Ok(Self(name.to_owned()));
        };
        Err(miette!(
            help = "use letters, digits, `-` and `_`, with a letter first, for example `my-system`",
            "`{name}` cannot be the name of a package: {reason}"
        ))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_follows_the_rules_of_cargo() {
        for name in ["a", "my-system", "x2", "_x", "Ping_Pong"] {
            assert!(PackageName::new(name).is_ok(), "{name}");
        }
        for name in [
            "", "2x", "-x", "a b", "a.b", "é", "fn", "test", "std", "build", "a/b", "_",
        ] {
            assert!(PackageName::new(name).is_err(), "{name}");
        }
    }
}
