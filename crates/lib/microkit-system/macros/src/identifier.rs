//! Converts names of the system file to Rust names.
//!
//! Names in the file can contain any character (`pl011@9000000/serial/queue`). Each character that
//! is invalid in a Rust name becomes `_`. So two names can become equal. This module does not add
//! numbers to make names unique: a name would then depend on the rest of the file, and could change
//! with an unrelated element. `names` reports equal names as ambiguous instead.

use proc_macro2::Ident;

/// Converts `name` to a Rust name, without a change of case.
pub(crate) fn identifier(name: &str) -> String {
    let fits = |c: char| c == '_' || c.is_ascii_alphanumeric();
    let mut identifier: String = name
        .chars()
        .map(|c| if fits(c) { c } else { '_' })
        .collect();
    if !identifier.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic()) {
        identifier.insert(0, '_');
    }
    // The remaining invalid names are keywords and a single `_`.
    if syn::parse_str::<Ident>(&identifier).is_err() {
        identifier.push('_');
    }
    identifier
}

/// Returns whether the item name `item`, without `= "…"`, matches the file's name `name`.
///
/// The comparison ignores case, because items are usually in upper case, and names in the file are
/// usually in lower case.
pub(crate) fn is_meant(name: &str, item: &str) -> bool {
    identifier(name).eq_ignore_ascii_case(item)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_rust_name() {
        let check = |name, expect| {
            assert_eq!(identifier(name), expect, "{name:?}");
            assert!(syn::parse_str::<Ident>(expect).is_ok(), "{name:?}");
        };
        check("ring", "ring");
        check(
            "pl011@9000000/serial/queue/virt_rx/client0",
            "pl011_9000000_serial_queue_virt_rx_client0",
        );
        check("9p", "_9p");
        check("type", "type_");
        check("self", "self_");
        check("Self", "Self_");
        check("größe", "gr__e");
        check("a b", "a_b");
        check("_", "__");
        check("", "__");
        check("r#type", "r_type");
    }

    #[test]
    fn the_case_of_an_item_does_not_matter() {
        assert!(is_meant("virt-rx/0", "VIRT_RX_0"));
        assert!(is_meant("virt-rx/0", "virt_rx_0"));
        assert!(!is_meant("virt-rx/0", "VIRT_RX0"));
    }
}
