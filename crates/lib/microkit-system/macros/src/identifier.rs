//! Converts names of the system file to Rust names.
//!
//! Names in the file can contain any character (`pl011@9000000/serial/queue`). Each character that
//! a Rust name cannot have becomes `_`. Two names can become equal. This module does not make them
//! unique: then a name would depend on the rest of the file, and could change when an unrelated
//! element is added. `names` reports such a pair as ambiguous instead.

use proc_macro2::Ident;

/// Returns the Rust name for `name`, with the case of the file.
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

/// Returns whether an item called `item`, without `= "…"`, means `name`.
///
/// The comparison ignores case, because items are written like constants, and names in the file are
/// not.
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
