//! A hostile client of the serial driver: overwrites its queue with invalid values in a loop. The
//! driver stops serving this client and keeps serving the other clients.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};
use sel4_microkit::{Channel, ChannelSet, Handler, Infallible, protection_domain, shared_words};

const DRIVER: Channel = Channel::new(1);

/// The values that are written to every word of the queue. As queue positions, the first two values
/// are valid and the third is not. As a flag, each value requests a notification from the driver.
/// As bytes, the values contain no complete line.
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

    /// Ignores the driver's notification that the queue has room.
    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        self.lie();
        Ok(())
    }
}
