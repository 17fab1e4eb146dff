//! PDs that misbehave until their parent restarts them. The name of a PD describes its behaviour.
#![no_std]
#![no_main]

mod random;
mod wild;

use core::hint::black_box;
use core::sync::atomic::Ordering;

use random::Random;
use sel4_microkit::{
    Channel, MessageInfo, Never, panicking, pd_name, protection_domain, shared_words,
    with_msg_regs_mut,
};

const PING: Channel = Channel::new(1);
const PONG: Channel = Channel::new(2);
const PARENT: Channel = Channel::new(10);

#[protection_domain]
fn init() -> Never {
    // Suppresses the panic message.
    panicking::set_hook(&|_| ());
    PARENT.notify();
    match pd_name() {
        Ok("wild") => wild::run(),
        Ok("deep") => {
            deep(0);
        }
        Ok("loop") => loop {
            core::hint::spin_loop();
        },
        Ok("writer") => write(),
        Ok("flood") => flood(),
        _ => (),
    }
    panic!("the next incarnation goes on")
}

/// Recurses until the stack overflows.
fn deep(depth: u64) -> u64 {
    let frame = black_box([depth; 16]);
    match black_box(depth.checked_add(1)) {
        Some(deeper) => frame[0] + deep(deeper),
        None => 0,
    }
}

/// Writes to read-only memory.
fn write() {
    for word in shared_words!(sealed, sealed_size) {
        word.store(!0, Ordering::Relaxed);
    }
}

/// Notifies all peers, and calls a peer with random messages.
fn flood() {
    let mut random = Random::new();
    loop {
        for channel in [PING, PONG, PARENT] {
            channel.notify();
        }
        let length = random.below(121) as usize;
        with_msg_regs_mut(|registers| registers.fill_with(|| random.word()));
        let label = random.word() >> (u64::BITS as usize - MessageInfo::label_width());
        PONG.pp_call(MessageInfo::new(label, length));
    }
}
