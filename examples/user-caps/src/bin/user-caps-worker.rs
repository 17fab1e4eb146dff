//! The worker: prints a line at each notification.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use sel4_microkit::{ChannelSet, Handler, Infallible, protection_domain};

struct Worker {
    runs: u32,
}

#[protection_domain]
fn init() -> Worker {
    Worker { runs: 0 }
}

impl Handler for Worker {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        self.runs += 1;
        println!("    worker: run {}", self.runs);
        Ok(())
    }
}
