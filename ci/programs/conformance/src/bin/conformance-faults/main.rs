//! Prints the fault messages that a parent receives, and the effects of its replies.
#![no_std]
#![no_main]

mod capabilities;
mod exceptions;
mod memory;
mod order;
mod replies;
mod system_calls;
mod threads;

use conformance::{A, B, C, D, Stage};
use microkit_abi::slots;
use sel4_microkit::{NullHandler, panicking, protection_domain};

const INPUT: u64 = slots::INPUT;
const REPLY: u64 = slots::REPLY;

/// The endpoint of `d`, for `a`, `b` and `c`.
const TO_D: u64 = slots::BASE_ENDPOINT + 1;

/// The notification of `d`, for `a`, `b` and `c`.
const SIGNAL_D: u64 = slots::BASE_OUTPUT_NOTIFICATION + 1;

/// The driver's notification, in the slots of all puppets.
const SIGNAL_DRIVER: u64 = slots::BASE_OUTPUT_NOTIFICATION + 10;

/// The reply object of a puppet that has faulted.
// SAFETY: replies go to puppets only.
const FAULTED: sel4::cap::Reply = unsafe { sel4::cap::Reply::from_bits(slots::REPLY) };

#[protection_domain]
fn init() -> NullHandler {
    panicking::set_hook(&microkit_console::panic_hook);
    let stage = &mut Stage::new(&[A, B, C, D]);
    for part in [
        memory::run,
        exceptions::run,
        system_calls::run,
        capabilities::run,
        replies::run,
        order::run,
        threads::run,
    ] {
        stage.clear();
        part(stage);
    }
    microkit_console::println!("end");
    NullHandler::new()
}
