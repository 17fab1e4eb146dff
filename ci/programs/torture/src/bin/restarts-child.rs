//! A child that calls and notifies other PDs and faults, until its parent restarts it. The child
//! checks that no state of an earlier incarnation is left.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;
use core::hint::black_box;
use core::sync::atomic::{AtomicU64, Ordering};

use sel4_microkit::{
    Channel, Handler, Infallible, MessageInfo, panicking, protection_domain, shared_words,
    with_msg_regs, with_msg_regs_mut,
};

const PARENT: Channel = Channel::new(1);
const PING: Channel = Channel::new(2);
const PONG: Channel = Channel::new(3);

/// The length of a message in words.
const WORDS: usize = 64;

static DATA: [AtomicU64; 2] = [AtomicU64::new(7), AtomicU64::new(0)];

const HEAP_BYTES: usize = 0x2000;

struct Child;

#[protection_domain(heap_size = HEAP_BYTES)]
fn init() -> Child {
    panicking::set_hook(&|_| ());
    let found = DATA.each_ref().map(|word| word.swap(9, Ordering::Relaxed));
    if found != [7, 0] {
        PARENT.pp_call(MessageInfo::new(found[0] << 8 | found[1], 0));
    }
    black_box(Vec::<u8>::with_capacity(HEAP_BYTES * 3 / 4).leak());

    // Each incarnation gets a new number, because a restart does not reset the region.
    let seed = &shared_words!(seed, seed_size)[0];
    let incarnation = seed.fetch_add(1, Ordering::Relaxed);
    for step in 0..incarnation % 5 {
        call(incarnation << 8 | step);
    }
    match incarnation % 3 {
        0 => with_msg_regs_mut(|registers| {
            registers.fill(incarnation);
            panic!()
        }),
        1 => PING.notify(),
        _ => (),
    }
    Child
}

/// Calls `pong`. The reply must belong to this call, even if a restart ended the call before it.
fn call(first: u64) {
    with_msg_regs_mut(|registers| {
        for (word, value) in registers[..WORDS].iter_mut().zip(first..) {
            *word = value;
        }
    });
    let reply = PONG.pp_call(MessageInfo::new(first, WORDS));
    let is_right = with_msg_regs(|registers| {
        let mut words = registers[..WORDS].iter().zip(first..);
        words.all(|(word, value)| *word == !value)
    });
    if !is_right || reply != MessageInfo::new(first, WORDS) {
        PARENT.pp_call(MessageInfo::new(0xbad, 0));
    }
}

impl Handler for Child {
    type Error = Infallible;
}
