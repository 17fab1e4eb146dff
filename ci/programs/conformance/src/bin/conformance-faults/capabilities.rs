//! Capability faults. The words of the message are: program counter, capability pointer, whether
//! the fault was in the receive phase, the lookup failure, and the number of bits left. For a guard
//! mismatch, the guard and its size follow.
//!
//! In the send phase, an empty slot and a wrong type are errors instead of faults. The kernel
//! reports these errors only to a call.

use conformance::{A, D, Registers, Stage, Words, in_root, info, show};
use microkit_abi::slots;
use microkit_console::println;

use super::{INPUT, REPLY, SIGNAL_D, TO_D};

const WORDS: Words = [1, 2, 3, 4];

const MESSAGE: sel4::MessageInfo = info(0, 4);

/// An empty slot.
const EMPTY: u64 = 9;

/// A capability pointer that does not match the guard.
const NONE: u64 = 1 << 20;

/// The number of the first slot beyond the CNode that Microkit fills.
const BEYOND: u64 = 1 << slots::MICROKIT_CNODE_BITS;

pub(crate) fn run(stage: &mut Stage) {
    println!("== capabilities");
    send(stage);
    receive(stage);
    reply(stage);
    combined(stage);
}

fn send(stage: &mut Stage) {
    for (what, cptr) in [
        ("slot 0", 0),
        ("an empty slot", EMPTY),
        ("the last slot", BEYOND - 1),
        ("a slot beyond", BEYOND),
        ("a bit of the guard", NONE),
        ("the last bit of the guard", 1 << 57),
        ("an empty slot of the root", in_root(1)),
        ("an empty slot of the root and a path", in_root(1) | 0x123),
        ("the last of all", !0),
    ] {
        for (how, call) in [
            ("call", Registers::call(cptr, MESSAGE, WORDS)),
            ("send", Registers::send(cptr, MESSAGE, WORDS)),
            ("nb_send", Registers::nb_send(cptr, MESSAGE, WORDS)),
        ] {
            let e = stage.act(A, call);
            show!(e, "{how} to {what}");
        }
    }
}

fn receive(stage: &mut Stage) {
    for (what, cptr) in [
        ("slot 0", 0),
        ("an empty slot", EMPTY),
        ("a slot beyond", BEYOND),
        ("a bit of the guard", NONE),
        ("an empty slot of the root and a path", in_root(1) | 0x123),
        ("a vspace", slots::VSPACE),
        ("a reply object", REPLY),
        ("a notification that is bound to another", SIGNAL_D),
    ] {
        for (how, call) in [
            ("recv", Registers::recv(cptr, REPLY)),
            ("nb_recv", Registers::nb_recv(cptr, REPLY)),
            ("wait", Registers::wait(cptr)),
            ("nb_wait", Registers::nb_wait(cptr)),
        ] {
            let e = stage.act(A, call);
            show!(e, "{how} from {what}");
        }
    }
}

/// `d` receives on an endpoint with a wrong reply object. The kernel looks the reply object up only
/// for a receive on an endpoint.
fn reply(stage: &mut Stage) {
    for (what, reply) in [
        ("slot 0", 0),
        ("an empty slot", EMPTY),
        ("a bit of the guard", NONE),
        ("a vspace", slots::VSPACE),
        ("an endpoint", INPUT),
    ] {
        for (how, call) in [
            ("recv", Registers::recv(INPUT, reply)),
            ("nb_recv", Registers::nb_recv(INPUT, reply)),
            (
                "reply_recv",
                Registers::reply_recv(INPUT, MESSAGE, WORDS, reply),
            ),
            (
                "nb_send_recv",
                Registers::nb_send_recv(EMPTY, MESSAGE, WORDS, INPUT, reply),
            ),
        ] {
            let e = stage.act(D, call);
            show!(e, "{how} with {what} for a reply object");
        }
        // The kernel looks the reply object up before it looks for a waiting sender.
        stage.block(A, Registers::call(TO_D, info(7, 0), WORDS));
        let e = stage.act(D, Registers::recv(INPUT, reply));
        show!(e, "recv with {what} for a reply object, a waits");
    }
}

/// A system call that sends and receives delivers the message even if the receive phase fails.
fn combined(stage: &mut Stage) {
    for (how, call) in [
        (
            "nb_send_recv",
            Registers::nb_send_recv(TO_D, info(6, 2), WORDS, EMPTY, REPLY),
        ),
        (
            "nb_send_wait",
            Registers::nb_send_wait(TO_D, info(6, 2), WORDS, EMPTY),
        ),
    ] {
        stage.clear();
        stage.block(D, Registers::recv(INPUT, REPLY));
        let e = stage.act(A, call);
        show!(e, "{how} to d, from an empty slot");
    }
    stage.block(D, Registers::recv(INPUT, REPLY));
    let e = stage.act(A, Registers::call(TO_D, info(6, 2), WORDS));
    show!(e, "call");
    let e = stage.act(D, Registers::reply_recv(EMPTY, info(5, 2), WORDS, REPLY));
    show!(e, "reply_recv from an empty slot");
}
