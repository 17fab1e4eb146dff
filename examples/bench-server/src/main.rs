//! Adds one to each word of a call, and answers notifications.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{
    Channel, ChannelSet, DeferredAction, Handler, Infallible, MessageInfo, protection_domain,
    with_msg_regs_mut,
};

/// A notification here is answered at the end of the entry point.
const DEFERS: Channel = Channel::new(3);

/// A notification here is answered at once.
const NOTIFIES: Channel = Channel::new(4);

struct Server {
    deferred: Option<DeferredAction>,
}

#[protection_domain]
fn init() -> Server {
    Server { deferred: None }
}

impl Handler for Server {
    type Error = Infallible;

    fn protected(&mut self, _: Channel, msg_info: MessageInfo) -> Result<MessageInfo, Infallible> {
        let count = msg_info.count();
        with_msg_regs_mut(|regs| regs.iter_mut().take(count).for_each(|word| *word += 1));
        Ok(MessageInfo::new(0, count))
    }

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        if channels.contains(DEFERS) {
            self.deferred = Some(DeferredAction::new_notify(DEFERS));
        }
        if channels.contains(NOTIFIES) {
            NOTIFIES.notify();
        }
        Ok(())
    }

    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        self.deferred.take()
    }
}
