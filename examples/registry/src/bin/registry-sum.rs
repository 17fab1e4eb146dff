//! A service that adds two words, for a client who knows which life of it this is. It dies of a
//! notification.
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

/// The label of a reply to a call that was for another life.
const OTHER_LIFE: u64 = 1;

struct Sum {
    epoch: Epoch,
}

#[protection_domain]
fn init() -> Sum {
    panicking::set_hook(&|info| println!("sum: {}", info.message()));
    let names = Names::connect(REGISTRY).expect("both are of one version");
    let epoch = names.register(Name::new("sum"));
    let epoch = epoch.expect("the registry's table says so");
    println!("sum: registered, life {}", epoch.number());
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
        // The label is the life that the client has found.
        if msg_info.label() != self.epoch.number() {
            return Ok((MessageInfo::new(OTHER_LIFE, 0), [0; 4]));
        }
        Ok((MessageInfo::new(0, 1), [one.wrapping_add(other), 0, 0, 0]))
    }

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        panic!("it is over")
    }

    fn restart_reply(&self) -> Option<RestartReply> {
        Some(restart_reply!(OTHER_LIFE))
    }
}
