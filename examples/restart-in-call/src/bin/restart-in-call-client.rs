//! A client of two servers that divide. The servers panic in some calls. The client still gets an
//! answer to each call.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use microkit_protocol::CallError;
use restart_in_call::{BackRestarted, LARGEST, connect};
use sel4_microkit::{Channel, NullHandler, panicking, protection_domain};

const FRONT: Channel = Channel::new(1);
const BACK: Channel = Channel::new(2);

#[protection_domain]
fn init() -> NullHandler {
    panicking::set_hook(&microkit_console::panic_hook);
    for (name, channel) in [("front", FRONT), ("back", BACK)] {
        let server = connect(channel);
        for (dividend, divisor) in [(84, 2), (1, 0), (LARGEST + 1, 7), (84, 2)] {
            let result = server.divide(dividend, divisor);
            report(name, dividend, divisor, result);
        }
    }
    println!("client: every call returned");
    NullHandler::new()
}

fn report(
    server: &str,
    dividend: u64,
    divisor: u64,
    result: Result<u64, CallError<BackRestarted>>,
) {
    match result {
        Ok(quotient) => println!("client: {server}: {dividend} / {divisor} = {quotient}"),
        Err(CallError::Method(BackRestarted)) => {
            println!("client: {server}: {dividend} / {divisor}: back was restarted");
        }
        Err(CallError::Refused(refusal)) => {
            println!("client: {server}: {dividend} / {divisor}: {refusal}")
        }
        Err(CallError::BadReply) => {
            println!("client: {server}: {dividend} / {divisor}: a reply of another protocol")
        }
    }
}
