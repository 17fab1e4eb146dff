//! The interrupt handler of the benchmark: handles and acknowledges the interrupt of the
//! processor's physical timer.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use aarch64_cpu::registers::{CNTP_CTL_EL0, Writeable};
use sel4_microkit::{
    Channel, ChannelSet, DeferredAction, DeferredActionSlot, Handler, IrqAckError,
    protection_domain,
};

const TIMER: Channel = Channel::new(0);

struct Driver {
    deferred: DeferredActionSlot,
}

#[protection_domain]
fn init() -> Driver {
    Driver {
        deferred: DeferredActionSlot::new(),
    }
}

impl Handler for Driver {
    type Error = IrqAckError;

    fn notified(&mut self, _: ChannelSet) -> Result<(), IrqAckError> {
        CNTP_CTL_EL0.set(0);
        self.deferred.defer_irq_ack(TIMER)
    }

    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        self.deferred.take()
    }
}
