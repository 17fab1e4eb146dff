//! Compares the list in `ci/hidden-items.txt` with the public items that the crates' documentation
//! hides, and with their macros. The list says of each why no safe code breaks memory with it. A
//! new one fails here until somebody has judged it.
//!
//! Data goes one way: rustdoc's JSON → `rustdoc` → items, and the macros' sources → `macros` → arms
//! and faults; `list` compares.

mod list;
mod macros;
mod rustdoc;

use std::fs;
use std::sync::OnceLock;

use ci::root;

use list::LIST;
use rustdoc::Found;

/// Made once: cargo documents thirteen crates twice.
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
    let list = fs::read_to_string(root().join(LIST)).expect("the list is there");
    let faults = list::differences(&list, &found.items);
    println!(
        "{} hidden items and arms of macros in {} crates; {} differ from {LIST}",
        found.items.len(),
        found.crates,
        faults.len()
    );
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

#[test]
fn no_macro_puts_a_callers_tokens_where_the_compiler_takes_them_for_ours() {
    let faults: Vec<String> = found()
        .faults
        .iter()
        .map(|fault| format!("{}:\n    {}", fault.place, fault.sentence))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}
