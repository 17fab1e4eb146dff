//! The parent of the registry: restarts it at the request of `registry-bob`, and after a fault.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{
    ChannelSet, Child, EntryPoint, Handler, MessageInfo, protection_domain, waits,
};

microkit_system::system! {
    "registry.system", pd = "keeper";
    child REGISTRY = "registry";
}

waits! {}

struct Keeper {
    entry_point: EntryPoint,
}

#[protection_domain]
fn init() -> Keeper {
    Keeper {
        // The registry has a lower priority, so it has not run yet.
        entry_point: REGISTRY
            .entry_point()
            .expect("the system file declares this child"),
    }
}

impl Handler for Keeper {
    type Error = sel4::Error;

    fn notified(&mut self, _: ChannelSet) -> Result<(), sel4::Error> {
        REGISTRY.restart(self.entry_point)
    }

    fn fault(&mut self, child: Child, _: MessageInfo) -> Result<Option<MessageInfo>, sel4::Error> {
        child.restart(self.entry_point)?;
        Ok(None)
    }
}
