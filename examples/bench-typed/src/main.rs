//! Counts the instructions of calls with types beside the same calls written by hand.
//!
//! Under QEMU's `-icount shift=0` an instruction takes a nanosecond of the guest's time, so that the
//! counter counts them. Run it with `--icount`; without, the numbers mean nothing.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use aarch64_cpu::registers::{CNTFRQ_EL0, CNTPCT_EL0, Readable};
use bench_typed_server::SumsClient;
use console::println;
use sel4_microkit::{
    MessageInfo, NullHandler, protection_domain, with_msg_regs, with_msg_regs_mut,
};

microkit_system::system! {
    "bench-typed.system", pd = "bench";
    channel BY_HAND = "by_hand";
    channel TYPED = "typed";
}

const ROUND_TRIPS: u64 = 10_000;

const WARM_UP: u64 = 100;

#[protection_domain]
fn init() -> NullHandler {
    let sums = SumsClient::connect(TYPED).expect("both are of one version");
    compare(
        "a word there and back",
        |value| {
            let (info, words) = BY_HAND.pp_call_with_mrs(MessageInfo::new(1, 1), [value]);
            assert_eq!((info.label(), info.count()), (0, 1));
            words[0]
        },
        |value| sums.next(value).expect("the server serves"),
    );
    compare(
        "four words there, one back",
        |value| {
            let request = [value, 2, 3, 4];
            let (info, words) = BY_HAND.pp_call_with_mrs(MessageInfo::new(2, 4), request);
            assert_eq!((info.label(), info.count()), (0, 1));
            words[0]
        },
        |value| sums.four(value, 2, 3, 4).expect("the server serves"),
    );
    compare(
        "sixteen words there and back",
        |value| {
            let request: [u64; 16] = [value; 16];
            with_msg_regs_mut(|regs| regs[..16].copy_from_slice(&request));
            let info = BY_HAND.pp_call(MessageInfo::new(3, 16));
            assert_eq!((info.label(), info.count()), (0, 16));
            let mut reply = [0; 16];
            with_msg_regs(|regs| reply.copy_from_slice(&regs[..16]));
            reply.into_iter().fold(0, u64::wrapping_add)
        },
        |value| {
            let reply = sums.sixteen([value; 16]).expect("the server serves");
            reply.into_iter().fold(0, u64::wrapping_add)
        },
    );
    println!("bench: done");
    NullHandler::new()
}

fn compare(what: &str, by_hand: impl Fn(u64) -> u64, typed: impl Fn(u64) -> u64) {
    assert_eq!(by_hand(7), typed(7));
    let (by_hand, typed) = (round_trip(by_hand), round_trip(typed));
    println!("{what}: {by_hand} instructions by hand, {typed} with types");
}

fn round_trip(call: impl Fn(u64) -> u64) -> u64 {
    for value in 0..WARM_UP {
        call(value);
    }
    let start = instructions();
    let mut sum = 0u64;
    for value in 0..ROUND_TRIPS {
        sum = sum.wrapping_add(call(value));
    }
    let end = instructions();
    assert_ne!(sum, 0);
    (end - start) / ROUND_TRIPS
}

/// Instructions since the machine started, to the next tick of the counter.
fn instructions() -> u64 {
    const PER_SECOND: u64 = 1_000_000_000;
    CNTPCT_EL0.get() * (PER_SECOND / CNTFRQ_EL0.get())
}
