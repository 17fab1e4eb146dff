//! Sending and receiving, with and without a peer at the other end.

use conformance::{A, C, D, DATA, Registers, Stage, info, show};
use microkit_abi::slots;
use microkit_console::println;
use sel4::sys::invocation;

use super::{INPUT, REPLY, SIGNAL_D, TO_C, TO_D};

pub(crate) fn run(stage: &mut Stage) {
    println!("== sends");
    nobody_waits(stage);
    d_waits(stage);
    a_sender_waits(stage);
    a_caller_waits(stage);
    two_at_once(stage);
}

const WORDS: [u64; 4] = [1, 2, 3, 4];

fn nobody_waits(stage: &mut Stage) {
    let e = stage.act(A, Registers::nb_send(TO_D, info(1, 4), WORDS));
    show!(e, "nb_send, nobody receives");
    let e = stage.act(D, Registers::nb_recv(INPUT, REPLY));
    show!(e, "nb_recv, nobody sends");
    let e = stage.act(D, Registers::nb_wait(INPUT));
    show!(e, "nb_wait, nobody sends");
    stage.block(D, Registers::recv(INPUT, REPLY));
    stage.block(D, Registers::wait(INPUT));
}

fn d_waits(stage: &mut Stage) {
    for (how, receive) in [
        ("recv", Registers::recv(INPUT, REPLY)),
        ("wait", Registers::wait(INPUT)),
    ] {
        stage.block(D, receive);
        let e = stage.act(A, Registers::send(TO_D, info(1, 2), WORDS));
        show!(e, "{how}, then send");
        stage.block(D, receive);
        let e = stage.act(A, Registers::nb_send(TO_D, info(2, 2), WORDS));
        show!(e, "{how}, then nb_send");
        stage.block(D, receive);
        let e = stage.act(A, Registers::call(TO_D, info(3, 2), WORDS));
        show!(e, "{how}, then call");
        let e = stage.act(D, Registers::send(REPLY, info(4, 1), WORDS));
        show!(e, "{how}, then call, then reply");
    }
    // `d` received the last call without a reply object. So the caller stays blocked until a
    // resume.
    A.resume();
    let e = stage.act(D, Registers::recv(INPUT, REPLY));
    show!(e, "the one not replied to is resumed, then recv");
    let e = stage.act(D, Registers::send(REPLY, info(5, 1), WORDS));
    show!(e, "and then reply");
}

fn a_sender_waits(stage: &mut Stage) {
    for (how, receive) in [
        ("recv", Registers::recv(INPUT, REPLY)),
        ("nb_recv", Registers::nb_recv(INPUT, REPLY)),
        ("wait", Registers::wait(INPUT)),
        ("nb_wait", Registers::nb_wait(INPUT)),
    ] {
        stage.block(A, Registers::send(TO_D, info(1, 4), WORDS));
        let e = stage.act(D, receive);
        show!(e, "send, then {how}");
    }
    let e = stage.act(D, Registers::send(REPLY, info(5, 1), WORDS));
    show!(e, "a reply to a send");
}

fn a_caller_waits(stage: &mut Stage) {
    for (how, receive) in [
        ("recv", Registers::recv(INPUT, REPLY)),
        ("nb_recv", Registers::nb_recv(INPUT, REPLY)),
        ("wait", Registers::wait(INPUT)),
        ("nb_wait", Registers::nb_wait(INPUT)),
    ] {
        stage.block(A, Registers::call(TO_D, info(1, 4), WORDS));
        let e = stage.act(D, receive);
        show!(e, "call, then {how}");
        let e = stage.act(D, Registers::send(REPLY, info(5, 1), WORDS));
        show!(e, "call, then {how}, then reply");
    }
}

/// `c` makes system calls that send to one object and receive from another. Then `a` sends to
/// `c`.
fn two_at_once(stage: &mut Stage) {
    let message = info(1, 4);
    let clean = info(invocation::ARMVSpaceClean_Data, 2);
    let cases = [
        ("d, which waits", TO_D, message),
        ("d, which does not wait", TO_D, message),
        ("a notification", SIGNAL_D, message),
        ("a reply object", REPLY, message),
        ("an empty slot", 9, message),
        ("no slot", 1 << 20, message),
        ("a vspace", slots::VSPACE, clean),
    ];
    let words = [DATA, DATA + 1, 3, 4];
    for (what, destination, message) in cases {
        for (how, call) in [
            (
                "nb_send_recv",
                Registers::nb_send_recv(destination, message, words, INPUT, REPLY),
            ),
            (
                "nb_send_wait",
                Registers::nb_send_wait(destination, message, words, INPUT),
            ),
        ] {
            stage.clear();
            if what == "d, which waits" {
                stage.block(D, Registers::recv(INPUT, REPLY));
            }
            let e = stage.act(C, call);
            show!(e, "{how} to {what}");
            let e = stage.act(A, Registers::send(TO_C, info(6, 2), WORDS));
            show!(e, "then a sends");
        }
    }
    let e = stage.act(D, Registers::nb_recv(INPUT, REPLY));
    show!(e, "what d has of it");
}
