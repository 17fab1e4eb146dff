//! The order in which runnable threads run.

use core::sync::atomic::Ordering;

use conformance::code::{DONE, STORE};
use conformance::{A, B, C, D, DATA, Puppet, Registers, Stage, set_driver_priority, show};
use microkit_console::println;

use super::{INPUT, MESSAGE, REPLY, SIGNAL_D, TO_D, WORDS, reset};

pub(crate) fn run(stage: &mut Stage) {
    println!("== order");
    resumed(stage);
    woken(stage);
    replied_to(stage);
    interrupted(stage);
    yields(stage);
    changed(stage);
    yield_to(stage);
}

/// Starts the puppets with programs that end at once. The events show the order in which they ran.
fn finish(stage: &mut Stage, puppets: &[Puppet]) {
    for puppet in puppets {
        stage.start(*puppet, &[DONE], Registers::new());
    }
}

fn resumed(stage: &mut Stage) {
    finish(stage, &[A, B, C]);
    let e = stage.settle();
    show!(e, "a, b, c are resumed");
    for puppet in [A, B, C] {
        puppet.set_priority(12);
    }
    finish(stage, &[A, B, C]);
    let e = stage.settle();
    show!(e, "a, b, c of equal priority are resumed");
}

/// `b` wakes `d`, while `c` has the same priority as `b` and is runnable.
fn woken(stage: &mut Stage) {
    for (what, priority) in [("lower", 11), ("equal", 12), ("higher", 13)] {
        for (how, wake) in [
            ("signals", Registers::send(SIGNAL_D, MESSAGE, WORDS)),
            ("sends to", Registers::send(TO_D, MESSAGE, WORDS)),
            ("nb_sends to", Registers::nb_send(TO_D, MESSAGE, WORDS)),
            ("calls", Registers::call(TO_D, MESSAGE, WORDS)),
        ] {
            reset(stage);
            C.set_priority(12);
            D.set_priority(priority);
            stage.block(D, Registers::recv(INPUT, REPLY));
            finish(stage, &[C]);
            stage.begin(B, wake);
            let e = stage.settle();
            show!(e, "b {how} d of {what} priority");
        }
    }
}

/// `d` replies to `b`, while `c` has the same priority as `b` and is runnable.
fn replied_to(stage: &mut Stage) {
    for (what, priority) in [("lower", 11), ("equal", 12), ("higher", 13)] {
        for (how, reply) in [
            ("replies", Registers::send(REPLY, MESSAGE, WORDS)),
            (
                "replies and receives",
                Registers::reply_recv(INPUT, MESSAGE, WORDS, REPLY),
            ),
        ] {
            reset(stage);
            C.set_priority(12);
            D.set_priority(priority);
            stage.block(B, Registers::call(TO_D, MESSAGE, WORDS));
            stage.quietly(D, Registers::recv(INPUT, REPLY));
            finish(stage, &[C]);
            stage.begin(D, reply);
            let e = stage.settle();
            show!(e, "d of {what} priority {how}");
        }
    }
}

/// A preempted thread continues before others of its priority.
fn interrupted(stage: &mut Stage) {
    reset(stage);
    C.set_priority(12);
    stage.block(D, Registers::recv(INPUT, REPLY));
    finish(stage, &[C]);
    stage.begin(B, Registers::send(SIGNAL_D, MESSAGE, WORDS));
    let e = stage.settle();
    show!(e, "b wakes d, and c has b's priority");
}

fn yields(stage: &mut Stage) {
    for (what, priority) in [("lower", 11), ("equal", 12), ("higher", 13)] {
        reset(stage);
        C.set_priority(priority);
        finish(stage, &[C]);
        stage.begin(B, Registers::r#yield());
        let e = stage.settle();
        show!(e, "b yields, c has {what} priority");
    }
}

/// Setting a priority puts the thread at the head of the ready queue of that priority.
fn changed(stage: &mut Stage) {
    for (what, changes) in [
        ("a raised to b's", &[(A, 12)][..]),
        ("c lowered to b's", &[(C, 12)]),
        ("b set to what it has", &[(C, 12), (B, 12)]),
        ("a raised above all", &[(A, 20)]),
        ("c lowered below all", &[(C, 5)]),
    ] {
        reset(stage);
        finish(stage, &[A, B, C]);
        for (puppet, priority) in changes {
            puppet.set_priority(*priority);
        }
        let e = stage.settle();
        show!(e, "{what}");
    }
}

/// The driver yields to `a`. Later the driver checks which puppets have run.
fn yield_to(stage: &mut Stage) {
    for (what, priority) in [("above", 200), ("with", 11)] {
        reset(stage);
        B.set_priority(11);
        for (puppet, index) in [(A, 0), (B, 1)] {
            stage.data(index).store(0, Ordering::Relaxed);
            let place = DATA + 8 * index as u64;
            stage.start(puppet, STORE, Registers::new().with(10, place));
        }
        set_driver_priority(priority);
        let yielded = A.sched_context().yield_to().map(drop);
        let has_run = [0, 1].map(|index| stage.data(index).load(Ordering::Relaxed) != 0);
        set_driver_priority(200);
        println!("{what} a and b, yield to a: {yielded:?}, they have run: {has_run:?}");
        let e = stage.settle();
        show!(e, "and then");
    }
}
