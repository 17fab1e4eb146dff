//! "Did you mean …": proposes an existing name for an unknown name.

pub(crate) use microkit_sdf::nearest;

/// Formats names for a list inside a sentence: "`a`, `b`".
pub(crate) fn quoted<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    let names: Vec<_> = names
        .into_iter()
        .map(|name| format!("`{}`", name.as_ref()))
        .collect();
    names.join(", ")
}

/// Returns the help for an unknown name: the nearest of `names`, and the full list.
pub(crate) fn advice<S: AsRef<str>>(wrong: &str, names: &[S]) -> String {
    let all = quoted(names);
    match nearest(wrong, names.iter().map(AsRef::as_ref)) {
        Some(name) if names.len() > 1 => format!("did you mean `{name}`? There are: {all}"),
        Some(name) => format!("did you mean `{name}`?"),
        None if names.is_empty() => "there are none".to_owned(),
        None => format!("there are: {all}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_gives_the_nearest_name_and_all_names() {
        let check = |wrong, names: &[&str], expect| assert_eq!(advice(wrong, names), expect);
        check(
            "helo",
            &["hello", "x"],
            "did you mean `hello`? There are: `hello`, `x`",
        );
        check("helo", &["hello"], "did you mean `hello`?");
        check("zzz", &["hello"], "there are: `hello`");
        check("zzz", &[], "there are none");
    }
}
