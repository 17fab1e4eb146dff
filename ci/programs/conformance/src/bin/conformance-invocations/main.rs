//! Prints the results of invocations: every error of each invocation, and the words that are
//! returned with the error.
//!
//! *Invocations*, in the SAFETY comments: an invocation that could corrupt memory targets a puppet
//! ([`conformance`]), or the kernel refuses the invocation. On the driver's own thread only the
//! priority is changed. Cache maintenance is limited to addresses without values of the driver, or
//! to operations that lose no value.
#![no_std]
#![no_main]

mod irq_handler;
mod sched_context;
mod tcb;
mod vspace;

use conformance::{A, B, C, D, DRIVER_SC, DRIVER_TCB, Stage, in_root};
use core::fmt::Display;
use microkit_abi::slots;
use microkit_console::println;
use sel4::sys::invocation;
use sel4::{Error, MessageInfo, cap, msg_reg, with_ipc_buffer_mut};
use sel4_microkit::{NullHandler, panicking, protection_domain};

const INPUT: u64 = slots::INPUT;
const REPLY: u64 = slots::REPLY;
const VSPACE: u64 = slots::VSPACE;

/// An empty slot.
const EMPTY: u64 = 9;

/// The driver's interrupt.
const IRQ: u64 = slots::BASE_IRQ + 20;

const OWN_TCB: u64 = DRIVER_TCB.bits();
const OWN_SC: u64 = DRIVER_SC.bits();

/// The thread of the console. Its priority is higher than the driver's.
const CONSOLE_TCB: u64 = in_root(3);

const A_TCB: u64 = A.tcb().bits();
const B_TCB: u64 = B.tcb().bits();
const A_SC: u64 = A.sched_context().bits();
const B_SC: u64 = B.sched_context().bits();
const A_NOTIFICATION: u64 = A.notification().bits();
const B_NOTIFICATION: u64 = B.notification().bits();

#[protection_domain]
fn init() -> NullHandler {
    panicking::set_hook(&microkit_console::panic_hook);
    let stage = &mut Stage::new(&[A, B, C, D]);
    labels();
    for part in [tcb::run, sched_context::run] {
        stage.clear();
        part(stage);
    }
    vspace::run();
    irq_handler::run();
    println!("end");
    NullHandler::new()
}

/// Makes an invocation and prints the result: the error, and the words returned with the error.
fn invoke(what: impl Display, cptr: u64, label: u64, caps: &[u64], words: &[u64]) {
    let (error, length) = answer(cptr, label, caps, words);
    let answered: [u64; 2] = core::array::from_fn(msg_reg);
    let answered = &answered[..length.min(2)];
    match error {
        None if length > 2 => println!("{what}: ok, {length} words"),
        None => println!("{what}: ok {answered:x?}"),
        Some(error) => println!("{what}: {error:?} {answered:x?}"),
    }
}

/// Makes an invocation. Returns the error and the length. The words of the result are in the
/// message registers.
fn answer(cptr: u64, label: u64, caps: &[u64], words: &[u64]) -> (Option<Error>, usize) {
    with_ipc_buffer_mut(|buffer| {
        buffer.msg_regs_mut()[..words.len()].copy_from_slice(words);
        buffer.caps_or_badges_mut()[..caps.len()].copy_from_slice(caps);
    });
    let info = MessageInfo::new(label, 0, caps.len(), words.len());
    // SAFETY: see *Invocations* in the module documentation.
    let reply = unsafe { cap::Unspecified::from_bits(cptr).call(info) };
    (Error::from_label(reply.label()), reply.length())
}

/// The results of labels that an object does not implement.
fn labels() {
    println!("== labels");
    for (name, label) in [
        ("label 0", 0),
        ("CNodeRevoke", invocation::CNodeRevoke),
        ("ARMPageMap", invocation::ARMPageMap),
        ("the last label", (1 << 52) - 1),
    ] {
        for (what, cptr) in [
            ("an empty slot", EMPTY),
            ("a thread", A_TCB),
            ("a scheduling context", A_SC),
            ("a vspace", VSPACE),
            ("an interrupt", IRQ),
            ("a notification", A_NOTIFICATION),
            ("a reply object", REPLY),
        ] {
            invoke(format_args!("{name}, {what}"), cptr, label, &[], &[1, 2]);
        }
    }
}
