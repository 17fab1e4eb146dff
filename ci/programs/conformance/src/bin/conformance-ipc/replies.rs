//! The destination of a reply.

use conformance::{A, B, D, Puppet, Registers, Stage, info, show};
use microkit_console::println;

use super::{INPUT, REPLY, TO_D};

const WORDS: [u64; 4] = [1, 2, 3, 4];

pub(crate) fn run(stage: &mut Stage) {
    println!("== replies");
    by_every_call(stage);
    nobody_is_held(stage);
    two_callers(stage);
    caller_is_gone(stage);
    to_the_driver(stage);
}

/// Makes `caller` call `d`. `d` receives the call.
fn call(stage: &mut Stage, caller: Puppet) {
    stage.block(D, Registers::recv(INPUT, REPLY));
    let label = if caller == A { 0xa } else { 0xb };
    let e = stage.act(caller, Registers::call(TO_D, info(label, 1), WORDS));
    show!(e, "call");
}

fn by_every_call(stage: &mut Stage) {
    let message = info(9, 3);
    for (how, reply) in [
        ("send", Registers::send(REPLY, message, WORDS)),
        ("nb_send", Registers::nb_send(REPLY, message, WORDS)),
        ("call", Registers::call(REPLY, message, WORDS)),
        (
            "reply_recv",
            Registers::reply_recv(INPUT, message, WORDS, REPLY),
        ),
        (
            "nb_send_recv",
            Registers::nb_send_recv(REPLY, message, WORDS, INPUT, REPLY),
        ),
        (
            "nb_send_wait",
            Registers::nb_send_wait(REPLY, message, WORDS, INPUT),
        ),
    ] {
        call(stage, A);
        let e = stage.act(D, reply);
        show!(e, "reply by {how}");
        let e = stage.act(D, reply);
        show!(e, "the same again");
    }
}

fn nobody_is_held(stage: &mut Stage) {
    stage.clear();
    stage.block(A, Registers::call(TO_D, info(0xa, 1), WORDS));
    let e = stage.act(D, Registers::reply_recv(INPUT, info(9, 3), WORDS, REPLY));
    show!(e, "reply_recv, nobody is held, but one calls");
    let e = stage.act(D, Registers::reply_recv(INPUT, info(9, 3), WORDS, REPLY));
    show!(e, "and again");
}

/// Receiving a second call with the same reply object drops the first caller.
fn two_callers(stage: &mut Stage) {
    call(stage, A);
    call(stage, B);
    let e = stage.act(D, Registers::send(REPLY, info(9, 1), WORDS));
    show!(e, "reply, when b's call was taken with what held a");
    call(stage, B);
    let e = stage.act(D, Registers::nb_recv(INPUT, REPLY));
    show!(e, "nb_recv that takes nothing, with what holds b");
    let e = stage.act(D, Registers::send(REPLY, info(9, 1), WORDS));
    show!(e, "and then reply");
    call(stage, B);
    let e = stage.act(D, Registers::nb_wait(INPUT));
    show!(e, "nb_wait that takes nothing");
    let e = stage.act(D, Registers::send(REPLY, info(9, 1), WORDS));
    show!(e, "and then reply");
    A.resume();
    let e = stage.act(D, Registers::recv(INPUT, REPLY));
    show!(e, "a is resumed, then recv");
    let e = stage.act(D, Registers::send(REPLY, info(9, 1), WORDS));
    show!(e, "and then reply");
}

fn caller_is_gone(stage: &mut Stage) {
    call(stage, A);
    A.suspend();
    let e = stage.act(D, Registers::send(REPLY, info(9, 1), WORDS));
    show!(e, "reply to one that was suspended");
    A.resume();
    let e = stage.settle();
    show!(e, "it is resumed");
    let e = stage.act(D, Registers::recv(INPUT, REPLY));
    show!(e, "then recv");
    A.resume();
    let e = stage.act(D, Registers::send(REPLY, info(9, 1), WORDS));
    show!(e, "reply to one that was resumed");
    let e = stage.act(D, Registers::recv(INPUT, REPLY));
    show!(e, "then recv");
    let e = stage.act(D, Registers::send(REPLY, info(9, 1), WORDS));
    show!(e, "and then reply");
}

fn to_the_driver(stage: &mut Stage) {
    // SAFETY: replies go to puppets only.
    let reply = unsafe { sel4::cap::Reply::from_bits(REPLY) };
    for (puppet, length) in [(A, 4), (D, 6)] {
        stage.write_buffer(puppet, 5, &[5, 6]);
        stage.begin(
            puppet,
            Registers::call(super::TO_DRIVER, info(8, length), WORDS),
        );
        let event = stage.wait();
        show!([event], "the driver is called");
        reply.send_with_mrs(info(9, 2), [7, 8]);
        let e = stage.settle();
        show!(e, "and replies");
    }
}
