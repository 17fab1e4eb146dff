//! The parent. Restarts the client after its death, and the server at the client's request.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use sel4_microkit::{
    ChannelSet, Child, EntryPoint, Handler, MessageInfo, panicking, protection_domain, waits,
};

microkit_system::system! {
    "shared-memory.system", pd = "parent";
    channel ASKING = "client";
    child SERVER = "server";
    child CLIENT = "client";
}

waits! {
    in init { call microkit_console::CHANNEL; }
    in notified { call microkit_console::CHANNEL; }
    in fault { call microkit_console::CHANNEL; }
}

struct Parent {
    server: EntryPoint,
    client: EntryPoint,
}

#[protection_domain]
fn init() -> Parent {
    panicking::set_hook(&microkit_console::panic_hook);
    // The children have lower priorities, so they have not run yet.
    let entry_point = |child: Child| {
        child
            .entry_point()
            .expect("the system file declares this child")
    };
    Parent {
        server: entry_point(SERVER),
        client: entry_point(CLIENT),
    }
}

impl Handler for Parent {
    type Error = sel4::Error;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), sel4::Error> {
        if ASKING.is_in(channels) {
            println!("parent: restarts the server");
            SERVER.restart(self.server)?;
        }
        Ok(())
    }

    fn fault(&mut self, child: Child, _: MessageInfo) -> Result<Option<MessageInfo>, sel4::Error> {
        let (name, entry_point) = if child == SERVER {
            ("server", self.server)
        } else {
            ("client", self.client)
        };
        println!("parent: the {name} has died, restart it");
        child.restart(entry_point)?;
        Ok(None)
    }
}
