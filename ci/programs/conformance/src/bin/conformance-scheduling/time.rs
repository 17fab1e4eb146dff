//! Budgets and periods. `small` has 10 ms of each 250, and `short` all of each 2 ms; the others
//! have 100 s. What is said is an order that holds however fast the machine is.

use conformance::code::{COUNT, DONE, FOR_EVER};
use conformance::{A, B, C, CODE, D, Puppet, Registers, SHORT, SMALL, Stage, info, show};
use microkit_abi::slots;
use microkit_console::println;
use sel4::cap;
use sel4::sys::fault::Timeout;

use super::{INPUT, MESSAGE, REPLY, TO_D, WORDS, no_time, reset};

/// Takes longer than the budgets of `small` and `short`.
const LONG: Registers = Registers::new().with(2, 30_000_000);

pub(crate) fn run(stage: &mut Stage) {
    println!("== time");
    for part in [
        enough,
        too_little,
        in_turn,
        yields,
        on_the_callers_time,
        timeout,
        timeout_of_a_server,
        no_timeout,
    ] {
        reset(stage);
        part(stage);
    }
}

/// Has `puppet` use another's scheduling context.
fn give(puppet: Puppet, of: Puppet) {
    no_time(puppet);
    of.sched_context()
        .bind(puppet.tcb())
        .expect("both are free");
}

/// Whoever has the higher priority and the time runs to its end.
fn enough(stage: &mut Stage) {
    stage.start(A, &[DONE], Registers::new());
    stage.start(B, COUNT, LONG);
    let e = stage.settle();
    show!(e, "b has time enough, and a waits");
}

/// Whose budget is used up waits for the next period.
fn too_little(stage: &mut Stage) {
    give(B, SMALL);
    stage.start(A, &[DONE], Registers::new());
    stage.start(B, FOR_EVER, Registers::new());
    let event = stage.wait();
    show!([event], "b has too little time, and a waits");
    B.suspend();
    // It is never at an end, but has run.
    let used = SMALL.sched_context().consumed().map(|time| time > 0);
    println!("b has used time: {used:?}");
}

/// With equal priority, whose budget is used up goes behind the others.
fn in_turn(stage: &mut Stage) {
    A.set_priority(12);
    give(B, SHORT);
    stage.start(A, COUNT, LONG);
    stage.start(B, COUNT, LONG);
    let e = stage.settle();
    show!(e, "b has a short turn, a a long one");
    reset(stage);
    A.set_priority(12);
    stage.start(A, COUNT, LONG);
    stage.start(B, COUNT, LONG);
    let e = stage.settle();
    show!(e, "both have long turns");
    // Nobody of its priority is there to be let before it.
    reset(stage);
    give(B, SHORT);
    stage.start(A, &[DONE], Registers::new());
    stage.start(B, COUNT, LONG);
    let e = stage.settle();
    show!(e, "b has short turns, and the higher priority");
}

/// To yield is to give up what is left of the budget.
fn yields(stage: &mut Stage) {
    give(B, SMALL);
    stage.start(B, &[DONE], Registers::new());
    let event = stage.wait();
    show!([event], "b has time");
    stage.start(A, &[DONE], Registers::new());
    stage.begin(B, Registers::r#yield());
    let first = stage.wait();
    show!([first], "b with a part of each period yields");
    let second = stage.wait();
    show!([second], "and then");
}

/// A server without time of its own has the caller's budget.
fn on_the_callers_time(stage: &mut Stage) {
    stage.block(D, Registers::recv(INPUT, REPLY));
    no_time(D);
    give(C, SMALL);
    stage.begin(C, Registers::call(TO_D, MESSAGE, WORDS));
    let event = stage.wait();
    show!([event], "c calls d, which has none");
    stage.start(A, &[DONE], Registers::new());
    stage.start(D, FOR_EVER, Registers::new());
    let event = stage.wait();
    show!([event], "d has too little time of c's, and a waits");
}

/// What holds a puppet that has faulted.
// SAFETY: only puppets are replied to.
const FAULTED: cap::Reply = unsafe { cap::Reply::from_bits(REPLY) };

/// Says what a timeout fault is. How much time was used depends on the machine, and may be less
/// than is counted: then it goes on until it is more.
fn show_timeout(stage: &mut Stage, what: &str) {
    let event = loop {
        let event = stage.wait();
        if event.label() != Timeout || event.word(1) > 0 {
            break event;
        }
        FAULTED.send_with_mrs(info(0, 0), []);
    };
    let is_timeout = event.label() == Timeout;
    let (data, used) = (event.word(0), event.word(1) > 0);
    println!("{what}: a timeout: {is_timeout}, data {data:x}, has used time: {used}");
}

fn set_timeout_endpoint(puppet: Puppet, endpoint: u64) {
    let tcb = puppet.tcb();
    // SAFETY: puppets. It is the driver's own endpoint, or an empty slot.
    unsafe { tcb.tcb_set_timeout_endpoint(cap::Endpoint::from_bits(endpoint)) }
        .expect("it is one, or none");
}

fn timeout(stage: &mut Stage) {
    give(B, SMALL);
    set_timeout_endpoint(B, slots::INPUT);
    stage.start(B, FOR_EVER, Registers::new());
    show_timeout(stage, "b has too little time");
    FAULTED.send_with_mrs(info(0, 0), []);
    show_timeout(stage, "reply with label 0");
    // What is left of a budget may not be enough for that one instruction.
    let next = CODE + 0x100 + 4;
    let event = loop {
        FAULTED.send_with_mrs(info(0, 1), [next]);
        let event = stage.wait();
        if event.label() != Timeout {
            break event;
        }
    };
    show!([event], "reply with a place");
    stage.start(B, FOR_EVER, Registers::new());
    show_timeout(stage, "b has too little time");
    FAULTED.send_with_mrs(info(1, 0), []);
    let e = stage.settle();
    show!(e, "reply with label 1");
    set_timeout_endpoint(B, 9);
}

/// The fault is the server's, and what it says is the client's.
fn timeout_of_a_server(stage: &mut Stage) {
    stage.block(D, Registers::recv(INPUT, REPLY));
    no_time(D);
    give(C, SMALL);
    stage.begin(C, Registers::call(TO_D, MESSAGE, WORDS));
    let event = stage.wait();
    show!([event], "c calls d, which has none");
    set_timeout_endpoint(D, slots::INPUT);
    stage.start(D, FOR_EVER, Registers::new());
    show_timeout(stage, "d has too little time of c's");
    set_timeout_endpoint(D, 9);
}

/// Who has all of its period has no timeouts.
fn no_timeout(stage: &mut Stage) {
    give(B, SHORT);
    set_timeout_endpoint(B, slots::INPUT);
    let e = stage.run(B, COUNT, LONG);
    show!(e, "b has short turns");
    set_timeout_endpoint(B, 9);
}
