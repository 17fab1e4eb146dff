//! The parent of an active and a passive server. Restarts a server after its fault.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use sel4_microkit::{
    Child, EntryPoint, Handler, MessageInfo, panicking, protection_domain, user_cap,
};

const FRONT: Child = Child::new(1);
const BACK: Child = Child::new(2);

/// The scheduling context of `back`, which is passive: `<cap_sc>` in the system file.
const CONTEXT_OF_BACK: sel4::cap::SchedContext = user_cap(1);

struct Parent {
    front: EntryPoint,
    back: EntryPoint,
}

#[protection_domain]
fn init() -> Parent {
    panicking::set_hook(&microkit_console::panic_hook);
    Parent {
        // Both servers have lower priorities, so they have not run yet.
        front: FRONT
            .entry_point()
            .expect("the system file declares this child"),
        back: BACK
            .entry_point()
            .expect("the system file declares this child"),
    }
}

impl Handler for Parent {
    type Error = sel4::Error;

    fn fault(&mut self, child: Child, _: MessageInfo) -> Result<Option<MessageInfo>, sel4::Error> {
        if child == FRONT {
            println!("parent: restarts front");
            FRONT.restart(self.front)?;
        } else {
            println!("parent: restarts back");
            BACK.restart_passive(CONTEXT_OF_BACK, self.back)?;
        }
        Ok(None)
    }
}
