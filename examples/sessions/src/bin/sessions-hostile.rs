//! A hostile client: uses the session numbers of other clients, reports the ends of other clients,
//! and sends requests that are not in the protocol.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use microkit_sessions::Connection;
use sel4_microkit::{Channel, MessageInfo, NullHandler, protection_domain, waits};

microkit_system::system! {
    "sessions.system", pd = "hostile";
    channel SERVER = "server";
    channel LIBRARIES = "libraries";
}

waits! {
    in init { call microkit_console::CHANNEL; call SERVER.channel(); }
}

/// The labels of requests that close a session and that connect (`microkit_sessions`).
const CLOSE: u64 = 0x0073_6573_7301;
const CONNECT: u64 = 0x0073_6573_7300;

/// The labels of two methods of `Notes`.
const APPEND: u64 = 2;
const READ: u64 = 3;

#[protection_domain]
fn init() -> NullHandler {
    // Tries every number that the server has used, and many other numbers.
    let refused = (0..40).filter(|&number| {
        let closed = call(CLOSE, &[number]) == DONE;
        let read = call(READ, &[number]) == 0;
        let written = call(APPEND, &[number, 1, 65, 0, 0, 0, 0]) == 0;
        !closed && !read && !written
    });
    println!("hostile: {} session numbers were refused", refused.count());

    let server = Connection::connect(SERVER).expect("the server has sessions");
    let taken = (0..62).filter(|&index| server.report_end(Channel::new(index)).is_ok());
    println!("hostile: {} reports were accepted", taken.count());

    for label in (0..8).chain(CONNECT..CONNECT + 8) {
        for count in 0..4 {
            call(label, &[!0; 4][..count]);
        }
    }
    println!("hostile: done");
    LIBRARIES.notify();
    NullHandler::new()
}

/// The label of the reply to a close that succeeded.
const DONE: u64 = 0x0073_6573_7310;

/// Calls the server with any words. Returns the label of the reply.
fn call(label: u64, words: &[u64]) -> u64 {
    let info = MessageInfo::new(label, words.len());
    match words.len() {
        0..=4 => SERVER.pp_call_with_mrs(info, words).0.label(),
        length => {
            sel4_microkit::with_msg_regs_mut(|regs| regs[..length].copy_from_slice(words));
            SERVER.pp_call(info).label()
        }
    }
}
