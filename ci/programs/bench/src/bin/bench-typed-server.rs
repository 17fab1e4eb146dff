//! Serves the same procedures on two channels: with hand-written code on one channel, and through a
//! protocol on the other.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use bench::typed::{Sums, SumsServer};
use sel4_microkit::{
    Channel, FastWords, Handler, Infallible, MessageInfo, protection_domain, with_msg_regs_mut,
};

microkit_system::system! {
    "bench/bench-more.system", pd = "sums";
    channel TYPED = "typed";
}

struct Server;

#[protection_domain]
fn init() -> Server {
    Server
}

impl Sums for Server {
    fn next(&mut self, value: u64) -> u64 {
        value.wrapping_add(1)
    }

    fn four(&mut self, a: u64, b: u64, c: u64, d: u64) -> Result<u64, u64> {
        Ok(a.wrapping_add(b).wrapping_add(c).wrapping_add(d))
    }

    fn sixteen(&mut self, words: [u64; 16]) -> [u64; 16] {
        words.map(|word| word.wrapping_add(1))
    }
}

impl Handler for Server {
    type Error = Infallible;

    fn protected_with_mrs(
        &mut self,
        channel: Channel,
        msg_info: MessageInfo,
        words: FastWords,
    ) -> Result<(MessageInfo, FastWords), Infallible> {
        if channel == TYPED {
            return Ok(SumsServer::dispatch_with_mrs(self, &msg_info, words));
        }
        Ok(by_hand(&msg_info, words))
    }
}

/// The same procedures without a protocol: labels for methods, and words for values.
fn by_hand(msg_info: &MessageInfo, words: FastWords) -> (MessageInfo, FastWords) {
    let add_one = |word: u64| word.wrapping_add(1);
    match msg_info.label() {
        1 => (MessageInfo::new(0, 1), [add_one(words[0]), 0, 0, 0]),
        2 => {
            let sum = words.into_iter().fold(0, u64::wrapping_add);
            (MessageInfo::new(0, 1), [sum, 0, 0, 0])
        }
        3 => {
            with_msg_regs_mut(|regs| {
                regs[4..16]
                    .iter_mut()
                    .for_each(|word| *word = add_one(*word))
            });
            (MessageInfo::new(0, 16), words.map(add_one))
        }
        _ => (MessageInfo::new(1, 0), words),
    }
}
