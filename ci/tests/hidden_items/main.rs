//! Compares the list in `ci/hidden-items.txt` with the crates' macros, and with the public items
//! that the documentation hides. For each item the list gives the reason why safe code cannot
//! corrupt memory with the item. A new item fails here until the list contains it.
//!
//! Data flows in one direction: rustdoc's JSON → `rustdoc` → items, and the macros' sources →
//! `macros` → arms and findings. `list` compares the items and the arms with the list.

mod list;
mod macros;
mod rustdoc;

use std::fs;
use std::sync::OnceLock;

use ci::root;

use list::LIST;
use rustdoc::Found;

/// Returns the items. The result is kept, because cargo must document thirteen crates twice.
fn found() -> &'static Found {
    static FOUND: OnceLock<Found> = OnceLock::new();
    FOUND.get_or_init(rustdoc::public_crates)
}

#[test]
fn every_hidden_item_and_every_macro_has_a_reason_to_be_sound() {
    let found = found();
    assert!(found.crates > 10, "only {} crates were read", found.crates);
    assert!(
        found.items.len() > 80,
        "only {:#?} were read",
        found.items.keys()
    );
    let list = fs::read_to_string(root().join(LIST)).expect("the list exists");
    let findings = list::differences(&list, &found.items);
    println!(
        "{} hidden items and arms of macros in {} crates; {} differ from {LIST}",
        found.items.len(),
        found.crates,
        findings.len()
    );
    assert!(findings.is_empty(), "{}", findings.join("\n\n"));
}

#[test]
fn no_macro_puts_a_callers_tokens_where_the_lint_is_silent() {
    let findings: Vec<String> = found()
        .findings
        .iter()
        .map(|finding| format!("{}:\n    {}", finding.place, finding.sentence))
        .collect();
    assert!(findings.is_empty(), "{}", findings.join("\n\n"));
}
