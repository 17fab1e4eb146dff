//! A client sends to a passive server without a call, so the server gets no scheduling context.
//!
//! refused by the compiler: method `endpoint` is private
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4::MessageInfo;
use sel4_microkit::{Channel, NullHandler, protection_domain};

#[protection_domain]
fn init() -> NullHandler {
    Channel::new(1).endpoint().nb_send(MessageInfo::new(0, 0, 0, 0));
    NullHandler::new()
}
