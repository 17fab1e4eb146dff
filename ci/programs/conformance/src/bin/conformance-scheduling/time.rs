//! Budgets and periods. `small` has a budget of 10 ms in a period of 250 ms. `short` has a budget
//! of 2 ms in a period of 2 ms. The other budgets are 100 s. The printed order does not depend on
//! the speed of the machine.

use conformance::code::{COUNT, DONE, FOR_EVER};
use conformance::{A, B, C, CODE, D, Puppet, Registers, SHORT, SMALL, Stage, info, show};
use microkit_abi::slots;
use microkit_console::println;
use sel4::cap;
use sel4::sys::fault::Timeout;

use super::{INPUT, MESSAGE, REPLY, TO_D, WORDS, no_time, reset};

/// A run longer than the budgets of `small` and `short`.
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

/// Gives `puppet` the scheduling context of another puppet.
fn give(puppet: Puppet, of: Puppet) {
    no_time(puppet);
    of.sched_context()
        .bind(puppet.tcb())
        .expect("both are free");
}

/// A thread with the higher priority and enough budget runs to the end of its program.
fn enough(stage: &mut Stage) {
    stage.start(A, &[DONE], Registers::new());
    stage.start(B, COUNT, LONG);
    let e = stage.settle();
    show!(e, "b has time enough, and a waits");
}

/// A thread without budget waits for its next refill.
fn too_little(stage: &mut Stage) {
    give(B, SMALL);
    stage.start(A, &[DONE], Registers::new());
    stage.start(B, FOR_EVER, Registers::new());
    let event = stage.wait();
    show!([event], "b has too little time, and a waits");
    B.suspend();
    // The program of b never ends. So only the consumed time shows that b has run.
    let used = SMALL.sched_context().consumed().map(|time| time > 0);
    println!("b has used time: {used:?}");
}

/// With equal priorities, a thread that has used its budget goes to the end of the ready queue.
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
    // No other thread of b's priority is in the ready queue.
    reset(stage);
    give(B, SHORT);
    stage.start(A, &[DONE], Registers::new());
    stage.start(B, COUNT, LONG);
    let e = stage.settle();
    show!(e, "b has short turns, and the higher priority");
}

/// A yield gives up the rest of the budget.
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

/// A passive server uses the budget of its caller.
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

/// The reply object of a puppet that has faulted.
// SAFETY: replies go to puppets only.
const FAULTED: cap::Reply = unsafe { cap::Reply::from_bits(REPLY) };

/// Prints a timeout fault. The consumed time depends on the machine and may be rounded to zero. In
/// that case the thread continues until the next timeout fault.
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
    // SAFETY: see *Puppets*. `endpoint` names the driver's endpoint or an empty slot.
    unsafe { tcb.tcb_set_timeout_endpoint(cap::Endpoint::from_bits(endpoint)) }
        .expect("the slot holds an endpoint, or is empty");
}

fn timeout(stage: &mut Stage) {
    give(B, SMALL);
    set_timeout_endpoint(B, slots::INPUT);
    stage.start(B, FOR_EVER, Registers::new());
    show_timeout(stage, "b has too little time");
    FAULTED.send_with_mrs(info(0, 0), []);
    show_timeout(stage, "reply with label 0");
    // While b has too little budget for an instruction, each reply leads to another timeout fault.
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

/// The server faults. The data of the fault belong to the client's scheduling context, and not to
/// the server's.
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

/// A thread whose budget is its whole period has no timeout faults.
fn no_timeout(stage: &mut Stage) {
    give(B, SHORT);
    set_timeout_endpoint(B, slots::INPUT);
    let e = stage.run(B, COUNT, LONG);
    show!(e, "b has short turns");
    set_timeout_endpoint(B, 9);
}
