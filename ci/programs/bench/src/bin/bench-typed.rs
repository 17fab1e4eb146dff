//! Measures typed calls, and the same calls in hand-written code.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use aarch64_cpu::registers::{CNTPCT_EL0, Readable};
use bench::report::report;
use bench::typed::SumsClient;
use sel4_microkit::{
    MessageInfo, NullHandler, protection_domain, with_msg_regs, with_msg_regs_mut,
};

microkit_system::system! {
    "bench/bench-more.system", pd = "typed_client";
    channel BY_HAND = "by_hand";
    channel TYPED = "typed";
}

const ROUND_TRIPS: u64 = 10_000;

const WARM_UP: u64 = 100;

#[protection_domain]
fn init() -> NullHandler {
    let sums = SumsClient::connect(TYPED).expect("both were built with the same protocol");
    compare(bench::report::TYPED, sums, next_by_hand, next);
    compare(bench::report::TYPED + 2, sums, four_by_hand, four);
    compare(bench::report::TYPED + 4, sums, sixteen_by_hand, sixteen);
    NullHandler::new()
}

/// A call, compiled as a separate function so that all calls are measured in the same way. The
/// hand-written calls ignore the client.
type Call = fn(SumsClient<TYPED>, u64) -> u64;

#[inline(never)]
fn next_by_hand(_: SumsClient<TYPED>, value: u64) -> u64 {
    let (info, words) = BY_HAND.pp_call_with_mrs(MessageInfo::new(1, 1), [value]);
    assert!(info.label() == 0 && info.count() == 1);
    words[0]
}

#[inline(never)]
fn next(sums: SumsClient<TYPED>, value: u64) -> u64 {
    sums.next(value).expect("the server answers")
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
    sums.four(value, 2, 3, 4).expect("the server answers")
}

#[inline(never)]
fn sixteen_by_hand(_: SumsClient<TYPED>, value: u64) -> u64 {
    with_msg_regs_mut(|regs| regs[4..16].copy_from_slice(&[value; 12]));
    let (info, first) = BY_HAND.pp_call_with_mrs(MessageInfo::new(3, 16), [value; 4]);
    assert!(info.label() == 0 && info.count() == 16);
    let others = with_msg_regs(|regs| sum(&regs[4..16]));
    sum(&first).wrapping_add(others)
}

#[inline(never)]
fn sixteen(sums: SumsClient<TYPED>, value: u64) -> u64 {
    sum(&sums.sixteen([value; 16]).expect("the server answers"))
}

fn sum(words: &[u64]) -> u64 {
    words
        .iter()
        .fold(0, |sum: u64, word| sum.wrapping_add(*word))
}

/// Measures a hand-written call and the same call through the protocol.
fn compare(row: u64, sums: SumsClient<TYPED>, by_hand: Call, typed: Call) {
    assert_eq!(by_hand(sums, 7), typed(sums, 7));
    for (row, call) in [(row, by_hand), (row + 1, typed)] {
        ticks_of(WARM_UP, sums, call);
        report(row, ticks_of(ROUND_TRIPS, sums, call), ROUND_TRIPS);
    }
}

#[inline(never)]
fn ticks_of(round_trips: u64, sums: SumsClient<TYPED>, call: Call) -> u64 {
    let start = CNTPCT_EL0.get();
    let mut sum = 0u64;
    for value in 0..round_trips {
        sum = sum.wrapping_add(call(sums, value));
    }
    let end = CNTPCT_EL0.get();
    assert_ne!(sum, 0);
    end - start
}
