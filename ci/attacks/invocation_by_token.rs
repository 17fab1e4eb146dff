//! A program makes system calls with the token of its thread.
//!
//! refused by the compiler: call to unsafe function `sel4::sel4_sys::call`
//! refused by the compiler: call to unsafe function `nb_send`
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4::sys::invocation::ARMVSpaceInvalidate_Data;
use sel4::{MessageInfo, sys, with_ipc_buffer_token};
use sel4_microkit::{NullHandler, protection_domain, vspace};

#[protection_domain]
fn init() -> NullHandler {
    let info = MessageInfo::new(ARMVSpaceInvalidate_Data, 0, 0, 2);
    with_ipc_buffer_token(|token| {
        sys::call(token, vspace().bits(), info, [0x20_0000, 0x20_1000, 0, 0]);
        sys::nb_send(token, vspace().bits(), info, [0x20_0000, 0x20_1000, 0, 0]);
    });
    NullHandler::new()
}
