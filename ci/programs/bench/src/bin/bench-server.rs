//! The server of the benchmark: replies with each word of the request plus one, and answers
//! notifications.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{
    Channel, ChannelSet, DeferredAction, DeferredActionSlot, FastWords, Handler, IrqAckError,
    MessageInfo, protection_domain, with_msg_regs_mut,
};

/// The channel whose notifications are answered with a deferred notification.
const DEFERS: Channel = Channel::new(3);

/// The channel whose notifications are answered at once.
const NOTIFIES: Channel = Channel::new(4);

struct Server {
    deferred: DeferredActionSlot,
}

#[protection_domain]
fn init() -> Server {
    Server {
        deferred: DeferredActionSlot::new(),
    }
}

impl Handler for Server {
    type Error = IrqAckError;

    fn protected_with_mrs(
        &mut self,
        _: Channel,
        msg_info: MessageInfo,
        words: FastWords,
    ) -> Result<(MessageInfo, FastWords), IrqAckError> {
        let count = msg_info.count();
        if count > words.len() {
            with_msg_regs_mut(|registers| add_one(&mut registers[words.len()..count]));
        }
        Ok((MessageInfo::new(0, count), words.map(|word| word + 1)))
    }

    fn notified(&mut self, channels: ChannelSet) -> Result<(), IrqAckError> {
        if channels.contains(DEFERS) {
            self.deferred.defer_notify(DEFERS)?;
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

/// Adds one to each word, twelve per iteration: the compiler does not unroll loops for this target.
fn add_one(words: &mut [u64]) {
    let (twelves, rest) = words.as_chunks_mut::<12>();
    twelves
        .iter_mut()
        .for_each(|twelve| *twelve = twelve.map(|word| word + 1));
    rest.iter_mut().for_each(|word| *word += 1);
}
