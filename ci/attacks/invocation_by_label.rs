//! A program invokes a thread and the address space with labels of its choice.
//!
//! refused by the compiler: no method named `call` found for struct `Cap<Tcb>`
//! refused by the compiler: no method named `call` found for struct `Cap<VSpace>`
//! refused by the compiler: no method named `nb_send` found
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4::sys::invocation::{ARMVSpaceInvalidate_Data, TCBCopyRegisters};
use sel4::{MessageInfo, cap};
use sel4_microkit::{NullHandler, protection_domain, user_cap, vspace};

#[protection_domain]
fn init() -> NullHandler {
    let thread: cap::Tcb = user_cap(1);
    thread.call(MessageInfo::new(TCBCopyRegisters, 0, 1, 1));
    vspace().call(MessageInfo::new(ARMVSpaceInvalidate_Data, 0, 0, 2));
    vspace().nb_send(MessageInfo::new(ARMVSpaceInvalidate_Data, 0, 0, 2));
    NullHandler::new()
}
