//! Tests IPC. Prints the received messages, the fate of messages without a waiting receiver, the
//! destination of each reply, and the order.
#![no_std]
#![no_main]

mod caps;
mod messages;
mod notifications;
mod queues;
mod replies;
mod sends;

use conformance::{A, B, C, D, Stage};
use microkit_abi::slots;
use sel4_microkit::{NullHandler, panicking, protection_domain};

const INPUT: u64 = slots::INPUT;
const REPLY: u64 = slots::REPLY;

/// The endpoint of `d`, for `a`, `b` and `c`.
const TO_D: u64 = slots::BASE_ENDPOINT + 1;

/// The endpoint of `c`, for `a` and `b`.
const TO_C: u64 = slots::BASE_ENDPOINT + 2;

/// The endpoint of the driver, in the slots of all puppets.
const TO_DRIVER: u64 = slots::BASE_ENDPOINT + 10;

/// The notification of `d`, for `a`, `b` and `c`, with the badges 2, 4 and 8.
const SIGNAL_D: u64 = slots::BASE_OUTPUT_NOTIFICATION + 1;

/// The notification of `a`, for `d`, with the badge 2.
const SIGNAL_A: u64 = slots::BASE_OUTPUT_NOTIFICATION + 1;

#[protection_domain]
fn init() -> NullHandler {
    panicking::set_hook(&microkit_console::panic_hook);
    let stage = &mut Stage::new(&[A, B, C, D]);
    for part in [
        messages::run,
        sends::run,
        replies::run,
        caps::run,
        queues::run,
        notifications::run,
        messages::run_without_buffer,
    ] {
        stage.clear();
        part(stage);
    }
    microkit_console::println!("end");
    NullHandler::new()
}
