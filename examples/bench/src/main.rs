//! Counts the instructions of boot and of round trips.
//!
//! Under QEMU's `-icount shift=0` an instruction takes a nanosecond of the guest's time, so that the
//! counter counts them. Run it with `--icount`; without, the numbers mean nothing.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use aarch64_cpu::registers::{CNTFRQ_EL0, CNTPCT_EL0, Readable};
use console::println;
use sel4_microkit::{
    Channel, MessageInfo, NullHandler, protection_domain, with_msg_regs, with_msg_regs_mut,
};

/// Of higher priority, passive: a call of at most four words takes the kernel's fast path.
const PASSIVE: Channel = Channel::new(1);

/// Of higher priority, with a scheduling context of its own.
const ACTIVE: Channel = Channel::new(2);

const ROUND_TRIPS: u64 = 10_000;

const WARM_UP: u64 = 100;

#[protection_domain]
fn init() -> NullHandler {
    let boot = instructions();
    println!("boot to the first PD: {boot} instructions");
    for (name, server) in [("a passive", PASSIVE), ("an active", ACTIVE)] {
        for count in [0, 4, 16, 64] {
            let each = round_trip(server, count);
            println!("call of {count} words to {name} server and back: {each} instructions");
        }
    }
    println!("bench: done");
    NullHandler::new()
}

/// Instructions since the machine started, to the next tick of the counter.
fn instructions() -> u64 {
    const PER_SECOND: u64 = 1_000_000_000;
    CNTPCT_EL0.get() * (PER_SECOND / CNTFRQ_EL0.get())
}

fn round_trip(server: Channel, count: usize) -> u64 {
    for _ in 0..WARM_UP {
        call(server, count);
    }
    let start = instructions();
    let mut sum = 0;
    for _ in 0..ROUND_TRIPS {
        sum += call(server, count);
    }
    let end = instructions();
    assert_eq!(sum, ROUND_TRIPS * (1..=count as u64).sum::<u64>());
    (end - start) / ROUND_TRIPS
}

/// Writes the words, calls, and adds up the reply.
fn call(server: Channel, count: usize) -> u64 {
    with_msg_regs_mut(|regs| {
        for (index, word) in regs.iter_mut().take(count).enumerate() {
            *word = index as u64;
        }
    });
    server.pp_call(MessageInfo::new(0, count));
    with_msg_regs(|regs| regs.iter().take(count).sum())
}
