//! Adds one to every word of the shared memory region at each notification.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};

use sel4_microkit::{Channel, ChannelSet, Handler, Infallible, protection_domain, shared_words};

const PING: Channel = Channel::new(1);

struct Pong {
    memory: &'static [AtomicU64],
}

#[protection_domain]
fn init() -> Pong {
    Pong {
        memory: shared_words!(memory, memory_size),
    }
}

impl Handler for Pong {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        if channels.contains(PING) {
            for word in self.memory {
                word.store(word.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            }
            PING.notify();
        }
        Ok(())
    }
}
