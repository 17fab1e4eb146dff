//! Invocations of an IRQ handler. This part raises no interrupt.

use microkit_console::println;
use sel4::sys::invocation as label;

use super::{A_NOTIFICATION, EMPTY, IRQ, VSPACE, invoke};

pub(crate) fn run() {
    println!("== interrupts");
    let set = |rest: &str, caps: &[u64]| {
        invoke(
            format_args!("SetIRQHandler, {rest}"),
            IRQ,
            label::IRQSetIRQHandler,
            caps,
            &[],
        );
    };
    invoke("AckIRQ", IRQ, label::IRQAckIRQ, &[], &[]);
    invoke(
        "AckIRQ again, with words",
        IRQ,
        label::IRQAckIRQ,
        &[],
        &[1, 2],
    );
    invoke("AckIRQ of a vspace", VSPACE, label::IRQAckIRQ, &[], &[]);
    set("none", &[]);
    set("an empty slot", &[EMPTY]);
    set("a vspace", &[VSPACE]);
    set("a notification", &[A_NOTIFICATION]);
    set("a notification, again", &[A_NOTIFICATION]);
    invoke("ClearIRQHandler", IRQ, label::IRQClearIRQHandler, &[], &[]);
    invoke(
        "ClearIRQHandler again",
        IRQ,
        label::IRQClearIRQHandler,
        &[],
        &[],
    );
}
