//! Has its child work, and begin anew when it has died.
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

const LIVES: u64 = 3;

waits! {
    in init { call microkit_console::CHANNEL; }
    in fault { call microkit_console::CHANNEL; }
}

struct Parent {
    entry_point: EntryPoint,
    life: u64,
}

#[protection_domain]
fn init() -> Parent {
    println!("parent: life 1");
    TO_CHILD.notify();
    Parent {
        // The child has the lower priority, and has not run yet.
        entry_point: CHILD.entry_point().expect("it is a child"),
        life: 1,
    }
}

impl Handler for Parent {
    type Error = sel4::Error;

    /// The child has done what it was to do: once more.
    fn notified(&mut self, _: ChannelSet) -> Result<(), sel4::Error> {
        TO_CHILD.notify();
        Ok(())
    }

    fn fault(&mut self, _: Child, _: MessageInfo) -> Result<Option<MessageInfo>, sel4::Error> {
        if self.life == LIVES {
            println!("parent: that was the last life");
            return Ok(None);
        }
        self.life += 1;
        println!("parent: life {}", self.life);
        CHILD.restart(self.entry_point)?;
        TO_CHILD.notify();
        Ok(None)
    }
}
