//! The parent of two clients that die. Restarts one client. Stops the other client, and reports its
//! end to the server.
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
        // The child has a lower priority, so it has not run yet.
        entry_point: MORTAL
            .entry_point()
            .expect("the system file declares this child"),
    }
}

impl Handler for Parent {
    type Error = sel4::Error;

    fn fault(&mut self, child: Child, _: MessageInfo) -> Result<Option<MessageInfo>, sel4::Error> {
        if child == MORTAL {
            println!("parent: restarts mortal");
            MORTAL.restart(self.entry_point)?;
        } else {
            DOOMED.stop()?;
            let server = Connection::connect(SERVER).expect("the server has sessions");
            let reported = server.report_end(CHANNEL_OF_DOOMED);
            println!("parent: reported the end of doomed: {reported:?}");
        }
        Ok(None)
    }
}
