//! A passive server that replies to its caller and also notifies the caller. The notification is a
//! deferred action: the runtime sends it after the entry point has returned.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use sel4_microkit::{
    Channel, DeferredAction, DeferredActionSlot, Handler, IrqAckError, MessageInfo, get_mr,
    pd_is_passive, protection_domain, set_mr,
};

struct Pong {
    deferred: DeferredActionSlot,
}

#[protection_domain]
fn init() -> Pong {
    println!("pong: passive is {}", pd_is_passive());
    Pong {
        deferred: DeferredActionSlot::new(),
    }
}

impl Handler for Pong {
    type Error = IrqAckError;

    fn protected(&mut self, caller: Channel, _: MessageInfo) -> Result<MessageInfo, IrqAckError> {
        self.deferred.defer_notify(caller)?;
        set_mr(0, get_mr(0) * 100);
        Ok(MessageInfo::new(0, 1))
    }

    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        self.deferred.take()
    }
}
