//! "Did you mean": the name that was probably meant by one that does not exist.

pub(crate) use microkit_sdf::nearest;

/// "`a`, `b`", for lists inside a sentence.
pub(crate) fn quoted<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    let names: Vec<_> = names
        .into_iter()
        .map(|name| format!("`{}`", name.as_ref()))
        .collect();
    names.join(", ")
}

/// What to say of `wrong` where one of `names` was wanted: the nearest, and all that there are.
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
    fn advice_lists_what_there_is() {
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
