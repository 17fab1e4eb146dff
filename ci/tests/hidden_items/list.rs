//! The list in the repository, and the differences between the list and the crates.

use std::collections::BTreeMap;
use std::fmt;

/// The path of the list.
pub(crate) const LIST: &str = "ci/hidden-items.txt";

/// The separator between the parts of a line.
const BETWEEN: &str = " — ";

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// The path of the item in another crate. For an arm of a macro, also the pattern.
    pub(crate) path: String,
    pub(crate) kind: String,
}

#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) is_unsafe: bool,
}

/// The line of an item, without the reason.
pub(crate) struct Line<'a>(pub(crate) &'a Key, pub(crate) Item);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(Key { path, kind }, item) = self;
        let word = word(*item);
        write!(f, "{path}{BETWEEN}{kind}{BETWEEN}{word}{BETWEEN}")
    }
}

fn word(item: Item) -> &'static str {
    if item.is_unsafe { "unsafe" } else { "safe" }
}

/// Returns one sentence for each difference between the crates and the list, and for each error in
/// the list.
pub(crate) fn differences(list: &str, found: &BTreeMap<Key, Item>) -> Vec<String> {
    let mut findings = Vec::new();
    let mut listed = BTreeMap::new();
    let mut last: Option<&str> = None;
    for (number, line) in (1..).zip(list.lines()) {
        if line.is_empty() || line.starts_with('#') {
            last = None;
            continue;
        }
        if last.is_some_and(|last| last >= line) {
            findings.push(format!(
                "{LIST}:{number}: the lines of a part are sorted and unique: move this one \
                 up"
            ));
        }
        last = Some(line);
        match parse(line) {
            Ok((key, item)) => {
                listed.insert(key, (item, number));
            }
            Err(why) => findings.push(format!("{LIST}:{number}: {why}")),
        }
    }
    for (key, &item) in found {
        let line = Line(key, item);
        match listed.get(key) {
            None => findings.push(format!(
                "new: any crate can use `{}`. If safe code can break memory with it, make it \
                 private or `unsafe`. If not, add to {LIST}:\n    {line}why it is sound",
                key.path
            )),
            Some(&(known, number)) if known != item => findings.push(format!(
                "changed: `{}` is {} now. Judge it again: can safe code break memory with it? If \
                 not, write in {LIST}:{number}:\n    {line}why it is sound",
                key.path,
                word(item)
            )),
            Some(_) => (),
        }
    }
    for (key, (_, number)) in &listed {
        if !found.contains_key(key) {
            findings.push(format!(
                "vanished: no crate has `{}` ({}) any more: remove {LIST}:{number}",
                key.path, key.kind
            ));
        }
    }
    findings
}

fn parse(line: &str) -> Result<(Key, Item), String> {
    let parts: Vec<&str> = line.splitn(4, BETWEEN).collect();
    let [path, kind, safety, reason] = parts[..] else {
        return Err(format!(
            "a line is `path{BETWEEN}kind{BETWEEN}safe or unsafe{BETWEEN}why it is sound`"
        ));
    };
    let is_unsafe = match safety {
        "safe" => false,
        "unsafe" => true,
        other => return Err(format!("`{other}` is neither `safe` nor `unsafe`")),
    };
    if reason.split_whitespace().count() < 3 {
        return Err("say why it is sound, in a sentence".to_owned());
    }
    let key = Key {
        path: path.to_owned(),
        kind: kind.to_owned(),
    };
    Ok((key, Item { is_unsafe }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOUND: [(&str, &str, bool); 3] = [
        ("a::_private::f", "function", false),
        ("a::_private::g", "function", true),
        ("a::m! { $x:ident }", "arm", false),
    ];
    const LIST: &str = "\
# A remark.
a::_private::f — function — safe — it adds two numbers — no more

a::_private::g — function — unsafe — its caller promises it
a::m! { $x:ident } — arm — safe — an identifier is a name
";

    fn found() -> BTreeMap<Key, Item> {
        let item = |(path, kind, is_unsafe): (&str, &str, bool)| {
            let (path, kind) = (path.to_owned(), kind.to_owned());
            (Key { path, kind }, Item { is_unsafe })
        };
        FOUND.map(item).into()
    }

    fn check(list: &str, expect: &[&str]) {
        let findings = differences(list, &found());
        assert_eq!(findings.len(), expect.len(), "{findings:#?}");
        for (finding, expect) in findings.iter().zip(expect) {
            assert!(finding.contains(expect), "{finding}");
        }
    }

    #[test]
    fn a_right_list_has_no_findings() {
        check(LIST, &[]);
    }

    #[test]
    fn a_new_item_is_reported_with_the_line_to_add() {
        check(
            &LIST.replace(
                "a::_private::f — function — safe — it adds two numbers — no more\n",
                "",
            ),
            &[
                "new: any crate can use `a::_private::f`. If safe code can break memory with it, make \
               it private or `unsafe`. If not, add to ci/hidden-items.txt:\n    \
               a::_private::f — function — safe — why",
            ],
        );
    }

    #[test]
    fn an_item_of_another_kind_is_new() {
        check(
            &LIST.replace("f — function", "f — constant"),
            &[
                "new: ",
                "vanished: no crate has `a::_private::f` (constant)",
            ],
        );
    }

    #[test]
    fn an_item_that_vanished_is_reported_with_its_line() {
        check(
            &format!("{LIST}b::f — function — safe — it does nothing\n"),
            &["`b::f` (function) any more: remove ci/hidden-items.txt:6"],
        );
    }

    #[test]
    fn an_item_that_became_safe_is_judged_again() {
        check(
            &LIST.replace("f — function — safe", "f — function — unsafe"),
            &["changed: `a::_private::f` is safe now"],
        );
    }

    #[test]
    fn a_line_without_a_reason_is_refused() {
        check(
            &LIST.replace("an identifier is a name", "sound"),
            &["ci/hidden-items.txt:5: say why", "new: "],
        );
        check(
            &LIST.replace("safe — it adds", "sound — it adds"),
            &[":2: `sound` is neither", "new: "],
        );
        check(
            &LIST.replace(
                "a::_private::g — function — unsafe — its",
                "a::_private::g its",
            ),
            &[":4: a line is", "new: "],
        );
    }

    #[test]
    fn lines_must_be_sorted_and_unique() {
        check(
            &format!("{LIST}a::_private::f — function — safe — it adds two\n"),
            &[":6: the lines"],
        );
    }
}
