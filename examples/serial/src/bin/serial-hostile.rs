//! A client of the `serial` protection domain that writes lies into its queue, again and again. The
//! driver hears it no more, and the others as if it were not there.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};
use sel4_microkit::{Channel, ChannelSet, Handler, Infallible, protection_domain, shared_words};

const DRIVER: Channel = Channel::new(1);

/// What it writes everywhere: as positions, the first two can be, and as the flag they have the driver
/// notify; the third cannot be a position. As bytes they are no whole line.
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

    /// The driver says that there is room.
    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        self.lie();
        Ok(())
    }
}
