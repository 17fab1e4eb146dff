//! Notifies and calls `pong`, and checks every word of the replies.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, MessageInfo, panicking, protection_domain,
    with_msg_regs, with_msg_regs_mut,
};

const PONG: Channel = Channel::new(1);
const PARENT: Channel = Channel::new(20);

/// The length of a call in words.
const WORDS: usize = 64;

/// The minimum number of rounds.
const ROUNDS: u64 = 1000;

/// The number of rounds between two notifications to the parent.
const ROUNDS_PER_NOTIFICATION: u64 = 20;

struct Ping {
    round: u64,
    is_enough: bool,
}

#[protection_domain]
fn init() -> Ping {
    panicking::set_hook(&microkit_console::panic_hook);
    let mut ping = Ping {
        round: 0,
        is_enough: false,
    };
    ping.serve();
    ping
}

impl Ping {
    fn serve(&mut self) {
        self.round += 1;
        let first = self.round << 32;
        with_msg_regs_mut(|registers| {
            for (word, value) in registers[..WORDS].iter_mut().zip(first..) {
                *word = value;
            }
        });
        let reply = PONG.pp_call(MessageInfo::new(self.round, WORDS));
        assert_eq!(reply, MessageInfo::new(self.round, WORDS));
        with_msg_regs(|registers| {
            for (word, value) in registers[..WORDS].iter().zip(first..) {
                assert_eq!(*word, !value, "in round {}", self.round);
            }
        });
        if self.round.is_multiple_of(ROUNDS_PER_NOTIFICATION) {
            PARENT.notify();
        }
        PONG.notify();
    }
}

impl Handler for Ping {
    type Error = Infallible;

    /// Handles an answer of `pong`. Notifications of the unruly children are ignored.
    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        self.is_enough |= channels.contains(PARENT);
        if channels.contains(PONG) {
            if self.is_enough && self.round >= ROUNDS {
                println!("ping: at least {ROUNDS} rounds, and every word was right");
            } else {
                self.serve();
            }
        }
        Ok(())
    }
}
