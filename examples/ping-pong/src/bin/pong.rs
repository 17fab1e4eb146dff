//! Answers each notification from `ping` with a notification.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use sel4_microkit::{Channel, ChannelSet, Handler, Infallible, protection_domain};

const PING: Channel = Channel::new(1);

struct Pong {
    round: usize,
}

#[protection_domain]
fn init() -> Pong {
    println!("pong: ready");
    Pong { round: 0 }
}

impl Handler for Pong {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        if channels.contains(PING) {
            self.round += 1;
            println!("     pong {}", self.round);
            PING.notify();
        }
        Ok(())
    }
}
