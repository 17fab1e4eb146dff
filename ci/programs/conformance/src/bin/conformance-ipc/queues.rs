//! The order in which an endpoint serves its queue.

use conformance::{A, B, C, D, Puppet, Registers, Stage, info, show};
use microkit_console::println;

use super::{INPUT, REPLY, TO_D};

const WORDS: [u64; 4] = [1, 2, 3, 4];

/// The priorities of the system file.
const PRIORITIES: [(Puppet, u64); 4] = [(A, 11), (B, 12), (C, 13), (D, 14)];

pub(crate) fn run(stage: &mut Stage) {
    println!("== queues");
    let own = [11, 12, 13];
    let same = [12, 12, 12];
    callers(stage, "of rising priority", [A, B, C], own, &[]);
    callers(stage, "of falling priority", [C, B, A], own, &[]);
    callers(stage, "of mixed priority", [B, A, C], own, &[]);
    callers(stage, "of equal priority", [A, B, C], same, &[]);
    callers(stage, "of equal priority", [C, A, B], same, &[]);
    callers(stage, "a raised meanwhile", [A, B, C], own, &[(A, 14)]);
    callers(stage, "c lowered meanwhile", [A, B, C], own, &[(C, 10)]);
    callers(stage, "a set to what it has", [A, B, C], same, &[(A, 12)]);
    receivers(stage, "of rising priority", own);
    receivers(stage, "of equal priority", same);
    out_of_the_queue(stage);
}

/// Callers queue in this order, then `d` serves them.
fn callers(
    stage: &mut Stage,
    what: &str,
    order: [Puppet; 3],
    priorities: [u64; 3],
    changes: &[(Puppet, u64)],
) {
    stage.clear();
    for (puppet, priority) in [A, B, C].into_iter().zip(priorities) {
        puppet.set_priority(priority);
    }
    for (puppet, label) in order.into_iter().zip(1..) {
        stage.block(puppet, Registers::call(TO_D, info(label, 1), WORDS));
    }
    for (puppet, priority) in changes {
        puppet.set_priority(*priority);
    }
    for _ in order {
        let e = stage.act(D, Registers::recv(INPUT, REPLY));
        show!(e, "callers {what}");
    }
    restore_priorities();
}

/// Receivers queue, then `d` sends to them.
fn receivers(stage: &mut Stage, what: &str, priorities: [u64; 3]) {
    stage.clear();
    for (puppet, priority) in [A, B, C].into_iter().zip(priorities) {
        puppet.set_priority(priority);
        stage.block(puppet, Registers::recv(TO_D, REPLY));
    }
    for label in 1..=4 {
        let e = stage.act(D, Registers::send(INPUT, info(label, 1), WORDS));
        show!(e, "receivers {what}");
    }
    restore_priorities();
}

/// A suspended thread leaves the queue. After its resume, the thread is at the end of the queue.
fn out_of_the_queue(stage: &mut Stage) {
    stage.clear();
    for puppet in [A, B, C] {
        puppet.set_priority(12);
        stage.block(puppet, Registers::call(TO_D, info(1, 1), WORDS));
    }
    A.suspend();
    B.resume();
    for _ in 0..3 {
        let e = stage.act(D, Registers::recv(INPUT, REPLY));
        show!(e, "a suspended, b resumed");
    }
    restore_priorities();
}

fn restore_priorities() {
    for (puppet, priority) in PRIORITIES {
        puppet.set_priority(priority);
    }
}
