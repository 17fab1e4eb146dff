//! Stops its passive child, lets it run on, and restarts it, as a client says.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use sel4_microkit::{
    Channel, Child, EntryPoint, Handler, MessageInfo, panicking, protection_domain, user_cap,
};

const CHILD: Child = Child::new(1);

/// The child's scheduling context: `<cap_sc>` in the system file.
const CONTEXT: sel4::cap::SchedContext = user_cap(1);

/// What the client asks for, as labels.
const STOP_AND_RESUME: u64 = 1;
const RESTART: u64 = 2;

struct Parent {
    entry_point: EntryPoint,
}

#[protection_domain]
fn init() -> Parent {
    panicking::set_hook(&microkit_console::panic_hook);
    Parent {
        // The child has the lower priority, and has not run yet.
        entry_point: CHILD.entry_point().expect("it is a child"),
    }
}

impl Handler for Parent {
    type Error = sel4::Error;

    fn protected(&mut self, _: Channel, asked: MessageInfo) -> Result<MessageInfo, sel4::Error> {
        match asked.label() {
            STOP_AND_RESUME => {
                CHILD.stop()?;
                CHILD.resume_passive(CONTEXT)?;
                println!("parent: the child was stopped, and runs on");
            }
            RESTART => {
                CHILD.restart_passive(CONTEXT, self.entry_point)?;
                println!("parent: the child begins again");
            }
            other => panic!("{other} is none of what may be asked for"),
        }
        Ok(MessageInfo::new(0, 0))
    }
}
