//! Compares the numbers of this crate with `microkit.h`, if `MICROKIT_SDK` names an SDK.

use std::collections::HashMap;
use std::{env, fs};

use microkit_abi::{facts, symbols};

fn sdk_file(path: &str) -> Option<String> {
    let sdk = env::var("MICROKIT_SDK")
        .ok()
        .filter(|value| !value.is_empty());
    let Some(sdk) = sdk else {
        eprintln!("SKIPPED: MICROKIT_SDK is not set, so nothing was compared with an SDK");
        return None;
    };
    Some(fs::read_to_string(format!("{sdk}/{path}")).expect("the SDK has the file"))
}

fn header() -> Option<String> {
    sdk_file("board/qemu_virt_aarch64/debug/include/microkit.h")
}

#[test]
fn each_number_matches_the_header() {
    let Some(header) = header() else { return };
    let defined: HashMap<&str, u64> = header
        .lines()
        .filter_map(|line| line.strip_prefix("#define "))
        .filter_map(|definition| definition.split_once(' '))
        .filter_map(|(name, value)| Some((name, value.trim().parse().ok()?)))
        .collect();
    for (name, ours) in facts::HEADER {
        assert_eq!(defined.get(name), Some(&ours), "{name}");
    }
}

#[test]
fn every_symbol_is_declared_in_the_header_or_internal() {
    let Some(header) = header() else { return };
    // libmicrokit defines this symbol in its own source, not in the header.
    let internal = [symbols::PASSIVE];
    for symbol in symbols::ALL {
        assert!(
            header.contains(symbol) || internal.contains(&symbol),
            "{symbol}"
        );
    }
}
