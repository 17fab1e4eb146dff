//! A program sets the registers of a child, of another thread and of itself.
//!
//! refused by the compiler: call to unsafe function `Child::write_registers`
//! refused by the compiler: tcb_write_all_registers` is unsafe
//! refused by the compiler: tcb_set_tls_base` is unsafe
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4::{UserContext, cap};
use sel4_microkit::{Child, NullHandler, protection_domain, user_cap};

#[protection_domain]
fn init() -> NullHandler {
    let mut registers = UserContext::default();
    let thread: cap::Tcb = user_cap(1);
    let _ = Child::new(1).write_registers(&mut registers);
    let _ = thread.tcb_write_all_registers(true, &mut registers);
    let _ = thread.tcb_set_tls_base(0x20_0000);
    NullHandler::new()
}
