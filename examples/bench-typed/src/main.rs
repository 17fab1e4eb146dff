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
    compare(sums, "a word there and back", next_by_hand, next);
    compare(sums, "four words there, one back", four_by_hand, four);
    compare(
        sums,
        "sixteen words there and back",
        sixteen_by_hand,
        sixteen,
    );
    println!("bench: done");
    NullHandler::new()
}

/// A call that is compiled as a function of its own, so that each is measured alike. Those by hand
/// have no use for the client.
type Call = fn(SumsClient<TYPED>, u64) -> u64;

#[inline(never)]
fn next_by_hand(_: SumsClient<TYPED>, value: u64) -> u64 {
    let (info, words) = BY_HAND.pp_call_with_mrs(MessageInfo::new(1, 1), [value]);
    assert!(info.label() == 0 && info.count() == 1);
    words[0]
}

#[inline(never)]
fn next(sums: SumsClient<TYPED>, value: u64) -> u64 {
    sums.next(value).expect("the server serves")
}

#[inline(never)]
fn four_by_hand(_: SumsClient<TYPED>, value: u64) -> u64 {
    let request = [value, 2, 3, 4];
    let (info, words) = BY_HAND.pp_call_with_mrs(MessageInfo::new(2, 4), request);
    assert!(info.label() == 0 && info.count() == 1);
    words[0]
}

#[inline(never)]
fn four(sums: SumsClient<TYPED>, value: u64) -> u64 {
    sums.four(value, 2, 3, 4).expect("the server serves")
}

#[inline(never)]
fn sixteen_by_hand(_: SumsClient<TYPED>, value: u64) -> u64 {
    with_msg_regs_mut(|regs| regs[..16].copy_from_slice(&[value; 16]));
    let info = BY_HAND.pp_call(MessageInfo::new(3, 16));
    assert!(info.label() == 0 && info.count() == 16);
    with_msg_regs(|regs| {
        regs[..16]
            .iter()
            .fold(0u64, |sum, word| sum.wrapping_add(*word))
    })
}

#[inline(never)]
fn sixteen(sums: SumsClient<TYPED>, value: u64) -> u64 {
    let reply = sums.sixteen([value; 16]).expect("the server serves");
    reply.into_iter().fold(0, u64::wrapping_add)
}

fn compare(sums: SumsClient<TYPED>, what: &str, by_hand: Call, typed: Call) {
    assert_eq!(by_hand(sums, 7), typed(sums, 7));
    let (by_hand, typed) = (round_trip(sums, by_hand), round_trip(sums, typed));
    println!("{what}: {by_hand} instructions by hand, {typed} with types");
}

#[inline(never)]
fn round_trip(sums: SumsClient<TYPED>, call: Call) -> u64 {
    for value in 0..WARM_UP {
        call(sums, value);
    }
    let start = instructions();
    let mut sum = 0u64;
    for value in 0..ROUND_TRIPS {
        sum = sum.wrapping_add(call(sums, value));
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
