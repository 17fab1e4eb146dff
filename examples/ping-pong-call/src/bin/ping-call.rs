//! Calls `pong-call` with messages of several lengths, and checks every word of each reply.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use sel4_microkit::{
    Channel, MessageInfo, NullHandler, protection_domain, with_msg_regs, with_msg_regs_mut,
};

const PONG: Channel = Channel::new(1);

/// The lengths in words: empty, two that fit into registers, the first that does not fit, and two
/// longer lengths. 64 words is the longest message that Microkit guarantees.
const COUNTS: [usize; 6] = [0, 1, 4, 5, 16, 64];

#[protection_domain]
fn init() -> NullHandler {
    for count in COUNTS {
        with_msg_regs_mut(|regs| {
            for (index, word) in regs[..count].iter_mut().enumerate() {
                *word = request(count, index);
            }
        });
        let reply = PONG.pp_call(MessageInfo::new(count as u64, count));
        assert_eq!(reply, MessageInfo::new(!count as u64 & LABEL_MASK, count));
        with_msg_regs(|regs| {
            for (index, &word) in regs[..count].iter().enumerate() {
                assert_eq!(word, request(count, index) + 1, "word {index} of {count}");
            }
        });
        println!("call of {count} words: every word of the reply is right");
    }
    in_registers();
    NullHandler::new()
}

const LABEL_MASK: u64 = (1 << MessageInfo::label_width()) - 1;

/// Returns word `index` of the request of `count` words. All words of all requests differ.
fn request(count: usize, index: usize) -> u64 {
    0x0101_0101_0101_0101 * (count as u64 + 1) + ((index as u64) << 40 | index as u64)
}

/// Calls with four words that travel in machine registers only. The message registers in memory do
/// not change.
fn in_registers() {
    with_msg_regs_mut(|regs| regs[..5].copy_from_slice(&[11, 12, 13, 14, 15]));
    let (reply, words) = PONG.pp_call_with_mrs(MessageInfo::new(0, 4), [1, 2, 3, 4]);
    assert_eq!(reply.count(), 4);
    assert_eq!(words, [2, 3, 4, 5]);
    with_msg_regs(|regs| assert_eq!(regs[..5], [11, 12, 13, 14, 15]));
    println!("call in registers: the message registers in memory are unchanged");
}
