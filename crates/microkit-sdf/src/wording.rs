//! How numbers and lists of names are put into sentences.

/// A number, or that there is none so large.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Hex(
    /// The number; `None` above 64 bits.
    pub Option<u64>,
);

impl std::fmt::Display for Hex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(number) => write!(f, "{number:#x}"),
            None => f.write_str("2^64 or more"),
        }
    }
}

pub(crate) fn listed(names: &[&str]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

pub(crate) fn one_of(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(" or ")
}

pub(crate) fn declared_are(what: &str, declared: &[String], more: usize) -> String {
    let names: Vec<&str> = declared.iter().map(String::as_str).collect();
    match (declared.len(), more) {
        (0, _) => format!("no {what} is declared"),
        (_, 0) => format!("declared: {}", listed(&names)),
        _ => format!("declared: {} and {more} more", listed(&names)),
    }
}

/// The multiples on either side of `value`, but for 0.
pub(crate) fn neighbours(value: u64, multiple: u64) -> String {
    let below = value - value % multiple;
    match (below, value.checked_next_multiple_of(multiple)) {
        (0, Some(above)) => format!("the first is {above:#x}"),
        (below, Some(above)) => format!("the nearest are {below:#x} and {above:#x}"),
        (below, None) => format!("the last is {below:#x}"),
    }
}
