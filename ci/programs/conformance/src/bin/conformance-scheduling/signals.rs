//! A thread without a scheduling context runs on the scheduling context of its notification, if the
//! notification has one.

use conformance::{A, C, D, Registers, Stage, show};
use microkit_console::println;

use super::{INPUT, MESSAGE, REPLY, SIGNAL_D, TO_D, WORDS, no_time, own_time, reset, show_holders};

const RECV: Registers = Registers::recv(INPUT, REPLY);

const REPLY_RECV: Registers = Registers::reply_recv(INPUT, MESSAGE, WORDS, REPLY);

const SIGNAL: Registers = Registers::send(SIGNAL_D, MESSAGE, WORDS);

const CALL: Registers = Registers::call(TO_D, MESSAGE, WORDS);

pub(crate) fn run(stage: &mut Stage) {
    println!("== signals");
    for part in [
        no_time_at_all,
        notifications_time,
        poll,
        without_an_endpoint,
        passive_from_the_start,
        signal_during_a_call,
    ] {
        reset(stage);
        part(stage);
    }
}

fn no_time_at_all(stage: &mut Stage) {
    stage.block(D, RECV);
    no_time(D);
    let e = stage.act(A, SIGNAL);
    show!(e, "a signals d, which has none");
    show_holders();
    let e = stage.act(A, CALL);
    show!(e, "a calls d");
    own_time(D);
    let e = stage.settle();
    show!(e, "d has its own again");
    let e = stage.act(D, RECV);
    show!(e, "d receives");
}

/// `d` waits, and its scheduling context is bound to its notification.
fn d_waits(stage: &mut Stage) {
    stage.block(D, RECV);
    no_time(D);
    D.sched_context()
        .bind(D.notification())
        .expect("both are free");
}

fn notifications_time(stage: &mut Stage) {
    d_waits(stage);
    println!("d's notification has d's");
    show_holders();
    let e = stage.act(A, SIGNAL);
    show!(e, "a signals d");
    show_holders();
    stage.block(D, RECV);
    println!("d receives");
    show_holders();
    let e = stage.act(A, CALL);
    show!(e, "a calls d");
    show_holders();
    let e = stage.act(D, REPLY_RECV);
    show!(e, "d replies and receives");
    show_holders();
}

/// Only a blocking wait returns the scheduling context to the notification.
fn poll(stage: &mut Stage) {
    d_waits(stage);
    let e = stage.act(A, SIGNAL);
    show!(e, "a signals d");
    let e = stage.act(D, Registers::nb_recv(INPUT, REPLY));
    show!(e, "d polls");
    show_holders();
    stage.block(D, Registers::wait(INPUT));
    println!("d waits");
    show_holders();
}

/// `a` has no endpoint, so `a` waits on its notification.
fn without_an_endpoint(stage: &mut Stage) {
    stage.block(A, Registers::wait(INPUT));
    no_time(A);
    A.sched_context()
        .bind(A.notification())
        .expect("both are free");
    A.notification().signal();
    let e = stage.settle();
    show!(e, "a's notification has a's, signal");
    show_holders();
    stage.block(A, Registers::wait(INPUT));
    println!("a waits");
    show_holders();
}

/// Like Microkit, binds the scheduling context to the notification while the thread still has the
/// scheduling context. So the thread keeps the scheduling context until its next wait.
fn passive_from_the_start(stage: &mut Stage) {
    for first in ["call", "signal"] {
        reset(stage);
        stage.block(D, RECV);
        let bound = D.sched_context().bind(D.notification());
        println!("d's notification has d's too: {bound:?}");
        show_holders();
        let e = stage.act(A, if first == "call" { CALL } else { SIGNAL });
        show!(e, "first, a {first}s d");
        show_holders();
        let e = stage.act(D, REPLY_RECV);
        show!(e, "d replies and receives");
        show_holders();
        let e = stage.act(A, CALL);
        show!(e, "then a calls d");
        show_holders();
        let e = stage.act(D, REPLY_RECV);
        show!(e, "d replies and receives");
        show_holders();
    }
}

/// A signal arrives during a call. `d` receives the signal at its next wait, on the scheduling
/// context of the notification: the reply returned the caller's scheduling context.
fn signal_during_a_call(stage: &mut Stage) {
    d_waits(stage);
    let e = stage.act(A, CALL);
    show!(e, "a calls d");
    let e = stage.act(C, SIGNAL);
    show!(e, "c signals d");
    show_holders();
    let e = stage.act(D, REPLY_RECV);
    show!(e, "d replies and receives");
    show_holders();
}
