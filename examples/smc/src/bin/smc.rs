//! Asks the firmware for the version of its power interface (PSCI), and calls a function that the
//! firmware does not implement.
#![no_std]
#![no_main]

use microkit_console::println;
use sel4_microkit::{NullHandler, arm_smc_call, panicking, protection_domain};

/// `PSCI_VERSION` (Arm DEN 0022, *Power State Coordination Interface*).
const PSCI_VERSION: u64 = 0x8400_0000;

/// A function that the firmware does not implement, and the result of a call to this function (Arm
/// DEN 0028, *SMC Calling Convention*).
const NONE: u64 = 0x8400_ffff;
const NOT_SUPPORTED: i32 = -1;

#[protection_domain]
fn init() -> NullHandler {
    panicking::set_hook(&microkit_console::panic_hook);
    ask().expect("the system file allows it");
    NullHandler::new()
}

fn ask() -> sel4::Result<()> {
    // SAFETY: the function only returns a number (Arm DEN 0022, *PSCI_VERSION*).
    let [version, ..] = unsafe { arm_smc_call([PSCI_VERSION, 0, 0, 0, 0, 0, 0, 0])? };
    println!("PSCI {}.{}", version >> 16, version & 0xffff);
    // SAFETY: the firmware does not implement this function, so the call only returns an error.
    let [answer, ..] = unsafe { arm_smc_call([NONE, 0, 0, 0, 0, 0, 0, 0])? };
    println!("not supported: {}", answer as i32 == NOT_SUPPORTED);
    Ok(())
}
