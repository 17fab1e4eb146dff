//! The victim of `hostile`: makes calls and checks every word, while PDs of higher priority run
//! random instructions.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use sel4_microkit::{
    Channel, MessageInfo, NullHandler, get_mr, protection_domain, with_msg_regs, with_msg_regs_mut,
};

const PONG: Channel = Channel::new(1);

/// The parent of the hostile PDs. At a notification, it gives them new instructions and registers.
const HOSTILE: Channel = Channel::new(2);

const ROUNDS: u64 = 100;

const CALLS: u64 = 20;

const WORDS: usize = 16;

#[protection_domain]
fn init() -> NullHandler {
    for round in 1..=ROUNDS {
        HOSTILE.notify();
        for call in 0..CALLS {
            exchange(round * CALLS + call);
        }
        if round % 25 == 0 {
            println!("ping: {round} rounds of {CALLS} calls, every word right");
        }
    }
    HOSTILE.pp_call(MessageInfo::new(0, 0));
    println!("the hostile PDs had {} incarnations", get_mr(0));
    NullHandler::new()
}

fn exchange(first: u64) {
    with_msg_regs_mut(|regs| {
        for (word, value) in regs[..WORDS].iter_mut().zip(first..) {
            *word = value;
        }
    });
    let reply = PONG.pp_call(MessageInfo::new(0, WORDS));
    assert_eq!(reply.count(), WORDS);
    with_msg_regs(|regs| {
        for (word, value) in regs[..WORDS].iter().zip(first + 1..) {
            assert_eq!(*word, value);
        }
    });
}
