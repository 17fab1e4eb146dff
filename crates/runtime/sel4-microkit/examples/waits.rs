//! A program that declares waits in every form, and does nothing. A test reads the declarations in
//! its ELF file.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{Channel, Child, NullHandler, protection_domain, waits};

const SERVER: Channel = Channel::new(1);
const DISK: Channel = Channel::new(61);
const WORKER: Child = Child::new(2);

waits! {
    in init { call SERVER; wait DISK; }
    in notified {
        lock outer {
            call SERVER;
            lock inner { wait DISK; }
            call DISK;
        }
        call DISK;
    }
    in notified(DISK) { call Channel::new(3); }
    in protected {}
    in protected(SERVER) { lock outer {} wait DISK; }
    in fault { call SERVER; }
    in fault(WORKER) { lock inner { call SERVER; } }
}

#[protection_domain]
fn init() -> NullHandler {
    NullHandler::new()
}
