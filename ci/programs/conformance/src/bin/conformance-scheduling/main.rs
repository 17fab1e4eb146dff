//! Prints the order in which threads run, and the scheduling context on which each thread runs.
#![no_std]
#![no_main]

mod lending;
mod order;
mod signals;
mod time;

use conformance::{A, B, C, D, Puppet, Registers, SHORT, SMALL, Stage, info};
use microkit_abi::slots;
use microkit_console::println;
use sel4::{Error, MessageInfo};
use sel4_microkit::{NullHandler, panicking, protection_domain};

const INPUT: u64 = slots::INPUT;
const REPLY: u64 = slots::REPLY;

/// The endpoint of `d`, for `a`, `b` and `c`.
const TO_D: u64 = slots::BASE_ENDPOINT + 1;

/// The endpoint of `c`, for `a` and `b`.
const TO_C: u64 = slots::BASE_ENDPOINT + 2;

/// The notification of `d`, for `a`, `b` and `c`.
const SIGNAL_D: u64 = slots::BASE_OUTPUT_NOTIFICATION + 1;

const MESSAGE: MessageInfo = info(1, 0);

const WORDS: [u64; 4] = [1, 2, 3, 4];

/// The puppets that run, with their priorities in the system file.
const PUPPETS: [(Puppet, u64); 4] = [(A, 11), (B, 12), (C, 13), (D, 14)];

#[protection_domain]
fn init() -> NullHandler {
    panicking::set_hook(&microkit_console::panic_hook);
    let stage = &mut Stage::new(&[A, B, C, D, SMALL, SHORT]);
    for puppet in [SMALL, SHORT] {
        puppet
            .sched_context()
            .unbind()
            .expect("the puppet's thread has it");
    }
    for part in [order::run, lending::run, signals::run, time::run] {
        reset(stage);
        part(stage);
    }
    println!("end");
    NullHandler::new()
}

/// Stops all puppets, and gives them their own priorities and scheduling contexts.
fn reset(stage: &mut Stage) {
    stage.clear();
    for (puppet, priority) in PUPPETS {
        puppet.set_priority(priority);
        puppet
            .sched_context()
            .unbind()
            .expect("the driver does not have it");
    }
    for puppet in [SMALL, SHORT] {
        puppet
            .sched_context()
            .unbind()
            .expect("the driver does not have it");
    }
    for (puppet, _) in PUPPETS {
        own_time(puppet);
    }
    // Removes pending signals.
    stage.quietly(D, Registers::nb_recv(INPUT, REPLY));
    stage.quietly(A, Registers::nb_wait(INPUT));
}

/// Binds a puppet's own scheduling context.
#[track_caller]
fn own_time(puppet: Puppet) {
    puppet
        .sched_context()
        .bind(puppet.tcb())
        .expect("both are free");
}

/// Unbinds a puppet's own scheduling context.
#[track_caller]
fn no_time(puppet: Puppet) {
    puppet
        .sched_context()
        .unbind_object(puppet.tcb())
        .expect("the puppet has its own");
}

/// Prints the puppets with a scheduling context: the kernel refuses to bind a second one to them.
fn show_holders() {
    let spare = SHORT.sched_context();
    let has_one = PUPPETS.map(|(puppet, _)| match spare.bind(puppet.tcb()) {
        Ok(()) => {
            spare.unbind().expect("the puppet has it");
            ' '
        }
        Err(Error::IllegalOperation) => '+',
        Err(_) => '?',
    });
    let [a, b, c, d] = has_one;
    println!("    scheduling contexts: a{a} b{b} c{c} d{d}");
}
