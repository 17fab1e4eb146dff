//! Capabilities in messages. A PD cannot receive a capability, because it has no CNode. The kernel
//! unwraps a capability to the message's endpoint: the PD receives the badge.

use conformance::{A, C, D, HOLE, Registers, Stage, info, show};
use microkit_abi::slots;
use microkit_console::println;
use sel4::MessageInfo;

use super::{INPUT, REPLY, TO_C, TO_D};

/// The index of capabilities or badges in the IPC buffer.
const CAPS: usize = 122;

/// The index of the receive path in the IPC buffer.
const RECEIVE: usize = 125;

const WORDS: [u64; 4] = [1, 2, 3, 4];

pub(crate) fn run(stage: &mut Stage) {
    println!("== capabilities in messages");
    let vspace = slots::VSPACE;
    let cases: [(&str, &[u64]); 9] = [
        ("none", &[]),
        ("that of the call", &[TO_D]),
        ("that of the call, thrice", &[TO_D, TO_D, TO_D]),
        ("that of the call and another", &[TO_D, TO_C]),
        ("another and that of the call", &[TO_C, TO_D]),
        ("a vspace", &[vspace]),
        (
            "that of the call and a vspace and it again",
            &[TO_D, vspace, TO_D],
        ),
        ("an empty slot", &[9]),
        ("that of the call and no slot", &[TO_D, 1 << 20]),
    ];
    for (what, caps) in cases {
        stage.write_buffer(A, CAPS, &[0, 0, 0]);
        stage.write_buffer(A, CAPS, caps);
        stage.write_buffer(D, CAPS, &[0xd0, 0xd1, 0xd2, 0, 0, 0]);
        let message = MessageInfo::new(1, 0, caps.len(), 1);

        stage.block(D, Registers::recv(INPUT, REPLY));
        let e = stage.act(A, Registers::call(TO_D, message, WORDS));
        show!(e, "{what}, to one that waits");
        show_badges(stage);

        let mut e = stage.act(A, Registers::call(TO_D, message, WORDS));
        if e.is_empty() {
            e = stage.act(D, Registers::recv(INPUT, REPLY));
        }
        show!(e, "{what}, to one that comes later");
        show_badges(stage);

        stage.block(D, Registers::recv(INPUT, REPLY));
        let e = stage.act(A, Registers::nb_send(TO_D, message, WORDS));
        show!(e, "{what}, by nb_send");
    }
    in_a_reply(stage);
    into_a_slot(stage);
    badges_of_others(stage);
}

/// Prints the badges in the receiver's buffer.
fn show_badges(stage: &mut Stage) {
    let buffer = stage.read_buffer(D);
    println!("    badges: {:x?}", &buffer[CAPS..RECEIVE]);
}

fn in_a_reply(stage: &mut Stage) {
    stage.write_buffer(D, CAPS, &[INPUT]);
    stage.block(D, Registers::recv(INPUT, REPLY));
    let e = stage.act(A, Registers::call(TO_D, info(1, 1), WORDS));
    show!(e, "call");
    let message = MessageInfo::new(2, 0, 1, 1);
    let e = stage.act(D, Registers::reply_recv(INPUT, message, WORDS, REPLY));
    show!(e, "the server's endpoint, in a reply");
}

/// The receive path names slots that do not exist.
fn into_a_slot(stage: &mut Stage) {
    for (what, path) in [
        ("of no CNode", [slots::VSPACE, 9, 64]),
        ("of no capability", [9, 9, 64]),
        ("of no slot", [HOLE, 9, 64]),
    ] {
        stage.write_buffer(A, CAPS, &[TO_C]);
        stage.write_buffer(D, RECEIVE, &path);
        stage.block(D, Registers::recv(INPUT, REPLY));
        let message = MessageInfo::new(1, 0, 1, 1);
        let e = stage.act(A, Registers::call(TO_D, message, WORDS));
        show!(e, "another, into a slot {what}");
    }
}

/// The badge comes from the capability in the message, not from the invoked capability.
fn badges_of_others(stage: &mut Stage) {
    stage.write_buffer(C, CAPS, &[TO_C]);
    stage.block(D, Registers::recv(INPUT, REPLY));
    let message = MessageInfo::new(1, 0, 1, 1);
    let e = stage.act(C, Registers::call(TO_D, message, WORDS));
    show!(e, "c sends a slot that it does not fill");
    // The server sends an unbadged capability to its own endpoint through that endpoint.
    stage.write_buffer(D, CAPS, &[INPUT]);
    stage.block(A, Registers::recv(TO_D, REPLY));
    let e = stage.act(D, Registers::send(INPUT, message, WORDS));
    show!(e, "d sends to itself, and a client receives");
    let buffer = stage.read_buffer(A);
    println!("    badges: {:x?}", &buffer[CAPS..RECEIVE]);
}
