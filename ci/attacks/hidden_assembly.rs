//! A program injects its own text into the assembly of `waits!`.
//!
//! refused by the compiler: no rules expected
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{NullHandler, protection_domain};

sel4_microkit::__waits_line!("x\"\n.popsection\n.globl evil\nevil: .quad 1\n.ascii \"");
sel4_microkit::__waits_step!("x\"\n.globl evil\n.ascii \"", , [init], []);

#[protection_domain]
fn init() -> NullHandler {

    NullHandler::new()
}
