//! Restarts one child that dies, and reports the end of the other.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use microkit_sessions::Connection;
use sel4_microkit::{Child, EntryPoint, Handler, MessageInfo, protection_domain, waits};
use sessions::DOOMED as CHANNEL_OF_DOOMED;

microkit_system::system! {
    "sessions.system", pd = "parent";
    channel SERVER = "server";
    child MORTAL = "mortal";
    child DOOMED = "doomed";
}

waits! {
    in fault { call microkit_console::CHANNEL; call SERVER.channel(); }
}

struct Parent {
    entry_point: EntryPoint,
}

#[protection_domain]
fn init() -> Parent {
    Parent {
        // The child has the lower priority, and has not run yet.
        entry_point: MORTAL.entry_point().expect("it is a child"),
    }
}

impl Handler for Parent {
    type Error = sel4::Error;

    fn fault(&mut self, child: Child, _: MessageInfo) -> Result<Option<MessageInfo>, sel4::Error> {
        if child == MORTAL {
            println!("parent: mortal begins again");
            MORTAL.restart(self.entry_point)?;
        } else {
            DOOMED.stop()?;
            let server = Connection::connect(SERVER).expect("it is a server of sessions");
            let reported = server.report_end(CHANNEL_OF_DOOMED);
            println!("parent: doomed is no more: {reported:?}");
        }
        Ok(None)
    }
}
