//! Notifies `pong`, and notifies `pong` again at each answer, for five rounds.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use sel4_microkit::{Channel, ChannelSet, Handler, Infallible, protection_domain};

const PONG: Channel = Channel::new(1);

const ROUNDS: usize = 5;

struct Ping {
    round: usize,
}

#[protection_domain]
fn init() -> Ping {
    let mut ping = Ping { round: 0 };
    ping.serve();
    ping
}

impl Ping {
    fn serve(&mut self) {
        self.round += 1;
        println!("ping {}", self.round);
        PONG.notify();
    }
}

impl Handler for Ping {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        if channels.contains(PONG) {
            if self.round < ROUNDS {
                self.serve();
            } else {
                println!("ping: {ROUNDS} rounds played");
            }
        }
        Ok(())
    }
}
