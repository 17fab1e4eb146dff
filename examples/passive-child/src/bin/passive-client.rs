//! Uses the passive server. Between two uses, asks the parent to stop or restart the server.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use sel4_microkit::{Channel, MessageInfo, NullHandler, panicking, protection_domain};

const SERVER: Channel = Channel::new(1);
const PARENT: Channel = Channel::new(2);

/// The labels of requests to the parent.
const STOP_AND_RESUME: u64 = 1;
const RESTART: u64 = 2;

#[protection_domain]
fn init() -> NullHandler {
    panicking::set_hook(&microkit_console::panic_hook);
    use_server();
    for _ in 0..2 {
        PARENT.pp_call(MessageInfo::new(STOP_AND_RESUME, 0));
        use_server();
    }
    for _ in 0..2 {
        PARENT.pp_call(MessageInfo::new(RESTART, 0));
        use_server();
    }
    PARENT.pp_call(MessageInfo::new(STOP_AND_RESUME, 0));
    use_server();
    NullHandler::new()
}

/// Notifies the server, then calls it. The server has a higher priority, so it handles the
/// notification before the call.
fn use_server() {
    SERVER.notify();
    let (info, [calls, notifications, ..]) = SERVER.pp_call_with_mrs(MessageInfo::new(0, 0), []);
    assert_eq!(
        info.label(),
        0,
        "the parent restarts the server between two calls"
    );
    println!("client: the server has seen {calls} calls and {notifications} notifications");
}
