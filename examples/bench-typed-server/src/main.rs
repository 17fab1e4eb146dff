//! Serves the same procedures twice: written by hand on one channel, and by a protocol on another.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use bench_typed_server::{Sums, SumsServer};
use sel4_microkit::{
    Channel, Handler, Infallible, MessageInfo, get_mr, protection_domain, set_mr, with_msg_regs_mut,
};

microkit_system::system! {
    "bench-typed.system", pd = "server";
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

    fn protected(
        &mut self,
        channel: Channel,
        msg_info: MessageInfo,
    ) -> Result<MessageInfo, Infallible> {
        if channel == TYPED {
            return Ok(SumsServer::dispatch(self, &msg_info));
        }
        Ok(by_hand(&msg_info))
    }
}

/// The same, as it is written without a protocol: numbers of methods, and words.
fn by_hand(msg_info: &MessageInfo) -> MessageInfo {
    match msg_info.label() {
        1 => {
            set_mr(0, get_mr(0).wrapping_add(1));
            MessageInfo::new(0, 1)
        }
        2 => {
            let words: [u64; 4] = core::array::from_fn(get_mr);
            set_mr(0, words.into_iter().fold(0, u64::wrapping_add));
            MessageInfo::new(0, 1)
        }
        3 => {
            with_msg_regs_mut(|regs| {
                for word in &mut regs[..16] {
                    *word = word.wrapping_add(1);
                }
            });
            MessageInfo::new(0, 16)
        }
        _ => MessageInfo::new(1, 0),
    }
}
