//! Holds the numbers of this crate against `microkit.h`, where there is an SDK.

use std::collections::HashMap;
use std::{env, fs};

use microkit_abi::{MICROKIT_VERSION, limits, slots, symbols};

fn sdk_file(path: &str) -> Option<String> {
    let sdk = env::var("MICROKIT_SDK")
        .ok()
        .filter(|value| !value.is_empty());
    let Some(sdk) = sdk else {
        eprintln!("SKIPPED: MICROKIT_SDK is not set, so nothing was compared with an SDK");
        return None;
    };
    Some(fs::read_to_string(format!("{sdk}/{path}")).expect("the SDK has it"))
}

fn header() -> Option<String> {
    sdk_file("board/qemu_virt_aarch64/debug/include/microkit.h")
}

#[test]
fn every_number_is_that_of_the_header() {
    let Some(header) = header() else { return };
    let defined: HashMap<&str, u64> = header
        .lines()
        .filter_map(|line| line.strip_prefix("#define "))
        .filter_map(|definition| definition.split_once(' '))
        .filter_map(|(name, value)| Some((name, value.trim().parse().ok()?)))
        .collect();
    let check = |name: &str, ours: u64| assert_eq!(defined.get(name), Some(&ours), "{name}");
    check("MONITOR_EP", slots::MONITOR_ENDPOINT);
    check("TCB_CAP", slots::TCB);
    check("ARM_SMC_CAP", slots::ARM_SMC);
    check(
        "BASE_OUTPUT_NOTIFICATION_CAP",
        slots::BASE_OUTPUT_NOTIFICATION,
    );
    check("BASE_ENDPOINT_CAP", slots::BASE_ENDPOINT);
    check("BASE_IRQ_CAP", slots::BASE_IRQ);
    check("BASE_TCB_CAP", slots::BASE_TCB);
    check("BASE_VM_TCB_CAP", slots::BASE_VM_TCB);
    check("BASE_VCPU_CAP", slots::BASE_VCPU);
    check("BASE_IOPORT_CAP", slots::BASE_IOPORT);
    check("BASE_USER_CAPS", slots::BASE_USER);
    check("PD_ROOT_CAP_BITS", slots::ROOT_CNODE_BITS.into());
    check("MICROKIT_MAX_CHANNELS", limits::MAX_CHANNEL_ID + 1);
    check("MICROKIT_PD_NAME_LENGTH", limits::NAME_BYTES as u64);
}

#[test]
fn every_symbol_is_declared_in_the_header_or_internal() {
    let Some(header) = header() else { return };
    // libmicrokit defines this one in its own source.
    let internal = [symbols::PASSIVE];
    for symbol in symbols::ALL {
        assert!(
            header.contains(symbol) || internal.contains(&symbol),
            "{symbol}"
        );
    }
}

#[test]
fn the_sdk_is_of_the_version_described_here() {
    let Some(version) = sdk_file("VERSION") else {
        return;
    };
    assert_eq!(version.trim(), MICROKIT_VERSION);
}
