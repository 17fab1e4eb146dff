//! Formats numbers and lists of names for messages.

/// Returns the candidate that is most similar to `name`, if a candidate is similar enough.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// Returns the help for `wrong`: the nearest name in `allowed`, and all names in `allowed`.
pub(crate) fn takes(wrong: &str, allowed: &[&str]) -> String {
    let all = listed(allowed);
    match nearest(wrong, allowed.iter().copied()) {
        Some(name) => format!("did you mean `{name}`? It takes {all}"),
        None => format!("it takes {all}"),
    }
}

/// A number, or a remark that the number is too large for 64 bits.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Hex(
    /// The number, or `None` if it does not fit in 64 bits.
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

pub(crate) fn declared_are(
    what: &str,
    nearest: Option<&str>,
    declared: &[String],
    more: usize,
) -> String {
    let names: Vec<&str> = declared.iter().map(String::as_str).collect();
    let declared = match nearest {
        Some(name) => format!("did you mean `{name}`? Declared"),
        None => "declared".to_owned(),
    };
    match (names.len(), more) {
        (0, _) => format!("no {what} is declared"),
        (_, 0) => format!("{declared}: {}", listed(&names)),
        _ => format!("{declared}: {} and {more} more", listed(&names)),
    }
}

/// Returns the multiples just below and above `value`, except 0.
pub(crate) fn neighbours(value: u64, multiple: u64) -> String {
    let below = value - value % multiple;
    match (below, value.checked_next_multiple_of(multiple)) {
        (0, Some(above)) => format!("the first is {above:#x}"),
        (below, Some(above)) => format!("the nearest are {below:#x} and {above:#x}"),
        (below, None) => format!("the last is {below:#x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn nearest_is_the_slip_of_the_finger_and_nothing_far_off() {
        let check = |name, expect| {
            assert_eq!(
                nearest(name, ["ping-pong", "hello", "passive"]),
                expect,
                "{name}"
            );
        };
        check("hello", Some("hello"));
        check("helo", Some("hello"));
        check("ping_pong", Some("ping-pong"));
        check("pasive", Some("passive"));
        check("xyz", None);
        check("", None);
    }
}
