//! Handles the interrupt of the processor's physical timer, and acknowledges it.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use aarch64_cpu::registers::{CNTP_CTL_EL0, Writeable};
use sel4_microkit::{Channel, ChannelSet, DeferredAction, Handler, Infallible, protection_domain};

const TIMER: Channel = Channel::new(0);

struct Driver {
    deferred: Option<DeferredAction>,
}

#[protection_domain]
fn init() -> Driver {
    Driver { deferred: None }
}

impl Handler for Driver {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        CNTP_CTL_EL0.set(0);
        self.deferred = Some(DeferredAction::new_irq_ack(TIMER));
        Ok(())
    }

    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        self.deferred.take()
    }
}
