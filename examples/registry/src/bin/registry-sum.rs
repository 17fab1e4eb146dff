//! A service that adds two words, for clients that name its current epoch. The service panics at
//! the first notification.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use microkit_registry::{Epoch, Name, Names};
use sel4_microkit::{
    Channel, ChannelSet, FastWords, Handler, Infallible, MessageInfo, RestartReply, panicking,
    protection_domain, restart_reply, waits,
};

microkit_system::system! {
    "registry.system", pd = "sum";
    channel REGISTRY = "registry";
}

waits! {
    in init { call REGISTRY.channel(); call microkit_console::CHANNEL; }
}

/// The label of the reply to a call for another epoch.
const OTHER_EPOCH: u64 = 1;

struct Sum {
    epoch: Epoch,
}

#[protection_domain]
fn init() -> Sum {
    panicking::set_hook(&|info| println!("sum: {}", info.message()));
    let names = Names::connect(REGISTRY).expect("both were built with the same protocol");
    let epoch = names.register(Name::new("sum"));
    let epoch = epoch.expect("the registry's table allows it");
    println!("sum: registered, epoch {}", epoch.number());
    Sum { epoch }
}

impl Handler for Sum {
    type Error = Infallible;

    fn protected_with_mrs(
        &mut self,
        _: Channel,
        msg_info: MessageInfo,
        [one, other, ..]: FastWords,
    ) -> Result<(MessageInfo, FastWords), Infallible> {
        // The label is the epoch that the client's lookup returned.
        if msg_info.label() != self.epoch.number() {
            return Ok((MessageInfo::new(OTHER_EPOCH, 0), [0; 4]));
        }
        Ok((MessageInfo::new(0, 1), [one.wrapping_add(other), 0, 0, 0]))
    }

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        panic!("it is over")
    }

    fn restart_reply(&self) -> Option<RestartReply> {
        Some(restart_reply!(OTHER_EPOCH))
    }
}
