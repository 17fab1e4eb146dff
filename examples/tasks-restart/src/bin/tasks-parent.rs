//! Notifies its child to start work, and restarts the child after a fault, for three incarnations.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use sel4_microkit::{
    ChannelSet, Child, EntryPoint, Handler, MessageInfo, protection_domain, waits,
};

microkit_system::system! {
    "tasks-restart.system", pd = "parent";
    channel TO_CHILD = "child";
    child CHILD = "child";
}

const INCARNATIONS: u64 = 3;

waits! {
    in init { call microkit_console::CHANNEL; }
    in fault { call microkit_console::CHANNEL; }
}

struct Parent {
    entry_point: EntryPoint,
    incarnation: u64,
}

#[protection_domain]
fn init() -> Parent {
    println!("parent: incarnation 1");
    TO_CHILD.notify();
    Parent {
        // The child has a lower priority, so it has not run yet.
        entry_point: CHILD
            .entry_point()
            .expect("the system file declares this child"),
        incarnation: 1,
    }
}

impl Handler for Parent {
    type Error = sel4::Error;

    /// Requests the next interrupt, after the child has handled one.
    fn notified(&mut self, _: ChannelSet) -> Result<(), sel4::Error> {
        TO_CHILD.notify();
        Ok(())
    }

    fn fault(&mut self, _: Child, _: MessageInfo) -> Result<Option<MessageInfo>, sel4::Error> {
        if self.incarnation == INCARNATIONS {
            println!("parent: that was the last incarnation");
            return Ok(None);
        }
        self.incarnation += 1;
        println!("parent: incarnation {}", self.incarnation);
        CHILD.restart(self.entry_point)?;
        TO_CHILD.notify();
        Ok(None)
    }
}
