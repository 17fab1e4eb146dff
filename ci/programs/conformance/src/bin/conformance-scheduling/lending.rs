//! A thread without a scheduling context runs on its caller's scheduling context.

use conformance::code::{DONE, udf};
use conformance::{A, C, CODE, D, Registers, Stage, info, show};
use microkit_console::println;

use super::{INPUT, MESSAGE, REPLY, TO_C, TO_D, WORDS, no_time, own_time, reset, show_holders};

const RECV: Registers = Registers::recv(INPUT, REPLY);

const REPLY_RECV: Registers = Registers::reply_recv(INPUT, MESSAGE, WORDS, REPLY);

const CALL_D: Registers = Registers::call(TO_D, MESSAGE, WORDS);

const CALL_C: Registers = Registers::call(TO_C, MESSAGE, WORDS);

pub(crate) fn run(stage: &mut Stage) {
    println!("== lending");
    for part in [
        active,
        passive,
        nested,
        through_an_active_one,
        sent_to,
        sent_to_and_received,
        caller_goes,
        server_goes,
        server_receives_again,
        server_faults,
        taken_away,
        given_another,
    ] {
        reset(stage);
        part(stage);
    }
}

/// `d` waits without a scheduling context.
fn d_waits_without(stage: &mut Stage) {
    stage.block(D, RECV);
    no_time(D);
}

fn active(stage: &mut Stage) {
    stage.block(D, RECV);
    let e = stage.act(A, CALL_D);
    show!(e, "a calls d");
    show_holders();
}

fn passive(stage: &mut Stage) {
    d_waits_without(stage);
    show_holders();
    let e = stage.act(A, CALL_D);
    show!(e, "a calls d, which has none");
    show_holders();
    let e = stage.act(D, REPLY_RECV);
    show!(e, "d replies and receives");
    show_holders();
    let e = stage.act(A, CALL_D);
    show!(e, "a calls d");
    let e = stage.act(D, Registers::send(REPLY, MESSAGE, WORDS));
    show!(e, "d replies");
    show_holders();
    own_time(D);
    let e = stage.settle();
    show!(e, "d has its own again");
}

fn nested(stage: &mut Stage) {
    d_waits_without(stage);
    stage.block(C, RECV);
    no_time(C);
    let e = stage.act(A, CALL_C);
    show!(e, "a calls c, which has none");
    show_holders();
    let e = stage.act(C, CALL_D);
    show!(e, "c calls d, which has none");
    show_holders();
    let e = stage.act(D, REPLY_RECV);
    show!(e, "d replies and receives");
    show_holders();
    let e = stage.act(C, REPLY_RECV);
    show!(e, "c replies and receives");
    show_holders();
}

fn through_an_active_one(stage: &mut Stage) {
    d_waits_without(stage);
    stage.block(C, RECV);
    let e = stage.act(A, CALL_C);
    show!(e, "a calls c, which has its own");
    let e = stage.act(C, CALL_D);
    show!(e, "c calls d, which has none");
    show_holders();
    let e = stage.act(D, REPLY_RECV);
    show!(e, "d replies and receives");
    show_holders();
}

/// Only a call lends a scheduling context.
fn sent_to(stage: &mut Stage) {
    for (how, send) in [
        ("sends", Registers::send(TO_D, MESSAGE, WORDS)),
        ("nb_sends", Registers::nb_send(TO_D, MESSAGE, WORDS)),
    ] {
        d_waits_without(stage);
        let e = stage.act(A, send);
        show!(e, "a {how} to d, which has none");
        show_holders();
        own_time(D);
        let e = stage.settle();
        show!(e, "d has its own again");
    }
}

/// A system call that sends and then waits also lends the scheduling context.
fn sent_to_and_received(stage: &mut Stage) {
    for (how, send) in [
        (
            "nb_send_recv",
            Registers::nb_send_recv(TO_D, MESSAGE, WORDS, INPUT, REPLY),
        ),
        (
            "nb_send_wait",
            Registers::nb_send_wait(TO_D, MESSAGE, WORDS, INPUT),
        ),
    ] {
        reset(stage);
        d_waits_without(stage);
        let e = stage.act(C, send);
        show!(e, "{how} of c to d, which has none");
        show_holders();
        let e = stage.act(A, CALL_C);
        show!(e, "a calls c");
        show_holders();
    }
}

fn caller_goes(stage: &mut Stage) {
    d_waits_without(stage);
    let e = stage.act(A, CALL_D);
    show!(e, "a calls d, which has none");
    A.suspend();
    println!("a is suspended");
    show_holders();
    let e = stage.act(D, REPLY_RECV);
    show!(e, "d replies and receives");
    show_holders();
    A.resume();
    let e = stage.settle();
    show!(e, "a is resumed");
    A.sched_context().unbind().expect("d has it");
    own_time(A);
    let e = stage.settle();
    show!(e, "a has its own again");
    show_holders();
}

fn server_goes(stage: &mut Stage) {
    d_waits_without(stage);
    let e = stage.act(A, CALL_D);
    show!(e, "a calls d, which has none");
    D.suspend();
    println!("d is suspended");
    show_holders();
    let e = stage.act(D, Registers::send(REPLY, MESSAGE, WORDS));
    show!(e, "d is resumed, and replies");
    show_holders();
}

fn server_receives_again(stage: &mut Stage) {
    d_waits_without(stage);
    let e = stage.act(A, CALL_D);
    show!(e, "a calls d, which has none");
    stage.block(D, RECV);
    println!("d receives, with what holds a");
    show_holders();
    A.resume();
    let e = stage.settle();
    show!(e, "a is resumed");
}

fn server_faults(stage: &mut Stage) {
    d_waits_without(stage);
    let e = stage.act(A, CALL_D);
    show!(e, "a calls d, which has none");
    stage.start(D, &[udf(1), DONE], Registers::new());
    let event = stage.wait();
    show!([event], "d faults");
    show_holders();
    let next = CODE + 3 * 0x100 + 4;
    // SAFETY: replies go to puppets only.
    unsafe { sel4::cap::Reply::from_bits(REPLY) }.send_with_mrs(info(0, 1), [next]);
    let e = stage.settle();
    show!(e, "the driver replies");
    let e = stage.act(D, REPLY_RECV);
    show!(e, "d replies and receives");
    show_holders();
}

fn taken_away(stage: &mut Stage) {
    d_waits_without(stage);
    let e = stage.act(A, CALL_D);
    show!(e, "a calls d, which has none");
    A.sched_context().unbind().expect("d has it");
    println!("what d has is taken away");
    show_holders();
    let e = stage.act(D, REPLY_RECV);
    show!(e, "d replies and receives");
    own_time(D);
    let e = stage.settle();
    show!(e, "d has its own again");
    show_holders();
    own_time(A);
    let e = stage.settle();
    show!(e, "a has its own again");
}

/// A lent scheduling context does not return to a lender that has got another one.
fn given_another(stage: &mut Stage) {
    d_waits_without(stage);
    let e = stage.act(A, CALL_D);
    show!(e, "a calls d, which has none");
    let given = D.sched_context().bind(A.tcb());
    println!("a is given another: {given:?}");
    show_holders();
    let e = stage.act(D, REPLY_RECV);
    show!(e, "d replies and receives");
    show_holders();
}
