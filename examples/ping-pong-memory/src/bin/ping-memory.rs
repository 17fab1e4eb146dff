//! Fills the shared memory region, notifies `pong-memory`, and checks the words after the answer.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};

use microkit_console::println;
use sel4_microkit::{Channel, ChannelSet, Handler, Infallible, protection_domain, shared_words};

const PONG: Channel = Channel::new(1);

const ROUNDS: u64 = 3;

struct Ping {
    memory: &'static [AtomicU64],
    round: u64,
}

#[protection_domain]
fn init() -> Ping {
    let mut ping = Ping {
        memory: shared_words!(memory, memory_size),
        round: 0,
    };
    println!("ping: {} words are shared", ping.memory.len());
    ping.serve();
    ping
}

impl Ping {
    fn serve(&mut self) {
        self.round += 1;
        for (word, value) in self.memory.iter().zip(0..) {
            word.store(self.round * value, Ordering::Relaxed);
        }
        // Relaxed stores are enough: the notification orders them before the peer's loads.
        PONG.notify();
    }
}

impl Handler for Ping {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        if channels.contains(PONG) {
            for (word, value) in self.memory.iter().zip(0..) {
                assert_eq!(word.load(Ordering::Relaxed), self.round * value + 1);
            }
            println!("ping {}: every word is one more", self.round);
            if self.round < ROUNDS {
                self.serve();
            }
        }
        Ok(())
    }
}
