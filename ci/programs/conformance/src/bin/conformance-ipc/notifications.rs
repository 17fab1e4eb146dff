//! The accumulation of signals, and the receiver of a signal.

use conformance::{A, B, C, D, Registers, Stage, info, show};
use microkit_console::println;

use super::{INPUT, REPLY, SIGNAL_A, SIGNAL_D, TO_D, TO_DRIVER};

const WORDS: [u64; 4] = [1, 2, 3, 4];

const NOTHING: sel4::MessageInfo = info(0, 0);

pub(crate) fn run(stage: &mut Stage) {
    println!("== notifications");
    accumulate(stage);
    by_every_call(stage);
    bound(stage);
    while_calling(stage);
    unbound(stage);
}

/// `a` has no endpoint, so `a` waits on its notification.
fn accumulate(stage: &mut Stage) {
    let e = stage.act(A, Registers::nb_wait(INPUT));
    show!(e, "nb_wait, no signal");
    let e = stage.act(A, Registers::nb_recv(INPUT, 1 << 20));
    show!(e, "nb_recv, no signal");
    A.notification().signal();
    A.notification().signal();
    let e = stage.act(D, Registers::send(SIGNAL_A, NOTHING, WORDS));
    show!(e, "two signals of the driver and one of d");
    let e = stage.act(A, Registers::nb_wait(INPUT));
    show!(e, "nb_wait");
    let e = stage.act(A, Registers::nb_wait(INPUT));
    show!(e, "nb_wait again");
    for (how, receive) in [
        ("wait", Registers::wait(INPUT)),
        ("recv", Registers::recv(INPUT, 1 << 20)),
        ("nb_recv", Registers::nb_recv(INPUT, 1 << 20)),
        ("nb_wait", Registers::nb_wait(INPUT)),
    ] {
        A.notification().signal();
        let e = stage.act(A, receive);
        show!(e, "signal, then {how}");
    }
    for (how, receive) in [
        ("wait", Registers::wait(INPUT)),
        ("recv", Registers::recv(INPUT, 1 << 20)),
    ] {
        let e = stage.act(A, receive);
        show!(e, "{how}");
        let e = stage.act(D, Registers::send(SIGNAL_A, NOTHING, WORDS));
        show!(e, "{how}, then signal");
    }
}

fn by_every_call(stage: &mut Stage) {
    let message = sel4::MessageInfo::new(9, 0, 0, 4);
    for (how, signal) in [
        ("send", Registers::send(SIGNAL_A, message, WORDS)),
        ("nb_send", Registers::nb_send(SIGNAL_A, message, WORDS)),
        ("call", Registers::call(SIGNAL_A, message, WORDS)),
        (
            "reply_recv",
            Registers::reply_recv(INPUT, message, WORDS, SIGNAL_A),
        ),
        (
            "nb_send_recv",
            Registers::nb_send_recv(SIGNAL_A, message, WORDS, INPUT, REPLY),
        ),
        (
            "nb_send_wait",
            Registers::nb_send_wait(SIGNAL_A, message, WORDS, INPUT),
        ),
    ] {
        let e = stage.act(D, signal);
        show!(e, "signal by {how}");
        let e = stage.act(A, Registers::nb_wait(INPUT));
        show!(e, "then nb_wait");
    }
}

/// `d` waits on its endpoint. The notification of `d` is bound to the thread of `d`.
fn bound(stage: &mut Stage) {
    for (how, receive) in [
        ("recv", Registers::recv(INPUT, REPLY)),
        ("wait", Registers::wait(INPUT)),
        (
            "reply_recv",
            Registers::reply_recv(INPUT, info(9, 2), WORDS, REPLY),
        ),
    ] {
        stage.block(D, receive);
        let e = stage.act(A, Registers::send(SIGNAL_D, NOTHING, WORDS));
        show!(e, "{how} on the endpoint, then signal");
    }
    for (how, receive) in [
        ("recv", Registers::recv(INPUT, REPLY)),
        ("wait", Registers::wait(INPUT)),
        ("nb_recv", Registers::nb_recv(INPUT, REPLY)),
        ("nb_wait", Registers::nb_wait(INPUT)),
        (
            "reply_recv",
            Registers::reply_recv(INPUT, info(9, 2), WORDS, REPLY),
        ),
    ] {
        stage.quietly(A, Registers::send(SIGNAL_D, NOTHING, WORDS));
        stage.quietly(B, Registers::send(SIGNAL_D, NOTHING, WORDS));
        D.notification().signal();
        stage.block(C, Registers::call(TO_D, info(3, 1), WORDS));
        let e = stage.act(D, receive);
        show!(
            e,
            "signals of a, b and the driver, and a call of c, then {how}"
        );
        let e = stage.act(D, Registers::recv(INPUT, REPLY));
        show!(e, "then recv");
        let e = stage.act(D, Registers::send(REPLY, NOTHING, WORDS));
        show!(e, "then reply");
    }
    // A receive reuses the reply object, so the kernel drops the earlier caller.
    stage.block(A, Registers::call(TO_D, info(1, 1), WORDS));
    let e = stage.act(D, Registers::recv(INPUT, REPLY));
    show!(e, "call, then recv");
    stage.block(D, Registers::recv(INPUT, REPLY));
    let e = stage.act(B, Registers::send(SIGNAL_D, NOTHING, WORDS));
    show!(e, "recv while a is held, then signal");
    let e = stage.act(D, Registers::send(REPLY, NOTHING, WORDS));
    show!(e, "then reply");
}

/// A signal does not end the wait for a reply.
fn while_calling(stage: &mut Stage) {
    stage.begin(D, Registers::call(TO_DRIVER, info(1, 0), WORDS));
    let event = stage.wait();
    show!([event], "d calls the driver");
    D.notification().signal();
    // SAFETY: replies go to puppets only.
    unsafe { sel4::cap::Reply::from_bits(REPLY) }.send_with_mrs(info(2, 0), []);
    let e = stage.settle();
    show!(e, "a signal, and then the reply");
    let e = stage.act(D, Registers::recv(INPUT, REPLY));
    show!(e, "then recv");
    // A signal does not end a blocked send either. Only d itself receives on this endpoint.
    stage.block(D, Registers::send(INPUT, info(1, 0), WORDS));
    D.notification().signal();
    let e = stage.settle();
    show!(e, "d sends, then signal");
    let e = stage.act(D, Registers::recv(INPUT, REPLY));
    show!(e, "then recv");
    let e = stage.act(D, Registers::send(TO_DRIVER, info(1, 0), WORDS));
    show!(e, "d sends to the driver");
}

/// Any thread with the capability can wait on a notification that is not bound.
fn unbound(stage: &mut Stage) {
    D.tcb()
        .tcb_unbind_notification()
        .expect("the notification is bound");
    stage.block(A, Registers::wait(SIGNAL_D));
    stage.block(B, Registers::wait(SIGNAL_D));
    for _ in 0..3 {
        D.notification().signal();
        let e = stage.settle();
        show!(e, "a and b wait, signal");
    }
    let e = stage.act(D, Registers::recv(INPUT, REPLY));
    show!(e, "recv on the endpoint, unbound, a signal pending");
    let e = stage.act(C, Registers::nb_wait(SIGNAL_D));
    show!(e, "nb_wait of c");
    D.tcb()
        .tcb_bind_notification(D.notification())
        .expect("the notification is not bound");
    // d was blocked before the notification was bound.
    D.notification().signal();
    let e = stage.settle();
    show!(e, "bound again, signal");
}
