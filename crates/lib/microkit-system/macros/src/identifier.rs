//! How a name of the system file is written in Rust.
//!
//! The file may call things as it likes (`pl011@9000000/serial/queue`); Rust may not. A character
//! that no Rust name has becomes `_`. Two names that then look alike are told apart where they
//! meet, and not here: a name that depended on what else is in the file would change with it.

use proc_macro2::Ident;

/// The Rust name of `name`, in the letters of the file.
pub(crate) fn identifier(name: &str) -> String {
    let fits = |c: char| c == '_' || c.is_ascii_alphanumeric();
    let mut identifier: String = name
        .chars()
        .map(|c| if fits(c) { c } else { '_' })
        .collect();
    if !identifier.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic()) {
        identifier.insert(0, '_');
    }
    // What is left is a keyword, or `_` alone.
    if syn::parse_str::<Ident>(&identifier).is_err() {
        identifier.push('_');
    }
    identifier
}

/// Whether `name` is what an item called `item` means, if it says nothing else: constants are in
/// capitals, and the names of files rarely.
pub(crate) fn is_meant(name: &str, item: &str) -> bool {
    identifier(name).eq_ignore_ascii_case(item)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_one_in_rust() {
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
    fn capitals_are_the_programs_choice() {
        assert!(is_meant("virt-rx/0", "VIRT_RX_0"));
        assert!(is_meant("virt-rx/0", "virt_rx_0"));
        assert!(!is_meant("virt-rx/0", "VIRT_RX0"));
    }
}
