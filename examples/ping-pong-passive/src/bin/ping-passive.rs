//! Calls `pong-passive`, and calls again at each notification from `pong-passive`.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, MessageInfo, get_mr, protection_domain, set_mr,
};

const PONG: Channel = Channel::new(1);

const ROUNDS: u64 = 5;

struct Ping {
    round: u64,
}

#[protection_domain]
fn init() -> Ping {
    let mut ping = Ping { round: 0 };
    ping.call();
    ping
}

impl Ping {
    fn call(&mut self) {
        self.round += 1;
        set_mr(0, self.round);
        let reply = PONG.pp_call(MessageInfo::new(0, 1));
        assert_eq!(reply.count(), 1);
        println!("ping {}: replied with {}", self.round, get_mr(0));
    }
}

impl Handler for Ping {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        if channels.contains(PONG) {
            println!("ping {}: notified too", self.round);
            if self.round < ROUNDS {
                self.call();
            }
        }
        Ok(())
    }
}
