//! Recognises a missing line in a protection domain's program by the message of the compiler or the
//! linker.

/// Parts of compiler and linker messages, with the advice for each message.
const LINES: [(&str, &str); 7] = [
    (
        "can't find crate for `std`",
        "begin `src/main.rs` with `#![no_std]`: a protection domain has no standard library. If it \
         has that line, a dependency needs `std`: disable its feature `std`",
    ),
    (
        "`main` function not found in crate",
        "write `#![no_main]` after `#![no_std]`: a protection domain begins at its initialisation",
    ),
    (
        "undefined symbol: no_function_is_marked_protection_domain",
        "write `#[sel4_microkit::protection_domain]` before the function that initialises the \
         protection domain",
    ),
    (
        "no_function_is_marked_protection_domain` is already defined",
        "keep `#[protection_domain]` on one function only",
    ),
    (
        "no global memory allocator found",
        "give the program a heap: `#[protection_domain(heap_size = 0x10000)]`",
    ),
    (
        "`#[panic_handler]` function required, but not found",
        "add `sel4-microkit` to the dependencies in `Cargo.toml`, and use it with \
         `use sel4_microkit::protection_domain;`",
    ),
    (
        "undefined symbol: sel4_microkit_",
        "write `#[sel4_microkit::protection_domain]` before the function that initialises the \
         protection domain",
    ),
];

/// Returns the advice for a message of the compiler or the linker, if a missing line causes the
/// message.
pub(crate) fn advice(message: &str) -> Option<&'static str> {
    let line = LINES.iter().find(|(part, _)| message.contains(part));
    line.map(|(_, advice)| *advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_messages_about_a_forgotten_line_have_advice() {
        assert_eq!(advice("error[E0425]: cannot find value `x`"), None);
        let linker = "error: linking with `rust-lld` failed\n  = note: rust-lld: error: undefined \
                      symbol: no_function_is_marked_protection_domain\n";
        assert!(
            advice(linker)
                .is_some_and(|advice| advice.contains("#[sel4_microkit::protection_domain]"))
        );
    }
}
