//! A hostile client of the serial driver: it overwrites its queue with nonsense again and again.
//! The driver stops serving it and keeps serving the other clients.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};
use sel4_microkit::{Channel, ChannelSet, Handler, Infallible, protection_domain, shared_words};

const DRIVER: Channel = Channel::new(1);

/// The values that it writes to every word of the queue. As positions in the queue the first two
/// are valid and the third is not. As a flag each of them asks the driver for a notification. As
/// bytes they contain no complete line.
const LIES: [u64; 3] = [1, 9, 1 << 32];

struct Hostile {
    queue: &'static [AtomicU64],
    round: usize,
}

#[protection_domain]
fn init() -> Hostile {
    let mut hostile = Hostile {
        queue: shared_words!(output, output_size),
        round: 0,
    };
    hostile.lie();
    hostile
}

impl Hostile {
    fn lie(&mut self) {
        if let Some(&lie) = LIES.get(self.round) {
            for word in self.queue {
                word.store(lie, Ordering::Relaxed);
            }
            self.round += 1;
        }
        DRIVER.notify();
    }
}

impl Handler for Hostile {
    type Error = Infallible;

    /// The driver notifies that there is room in the queue.
    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        self.lie();
        Ok(())
    }
}
