//! Stops and resumes its passive child, or restarts the child, at the request of the client.
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

/// The labels of the client's requests.
const STOP_AND_RESUME: u64 = 1;
const RESTART: u64 = 2;

struct Parent {
    entry_point: EntryPoint,
}

#[protection_domain]
fn init() -> Parent {
    panicking::set_hook(&microkit_console::panic_hook);
    Parent {
        // The child has a lower priority, so it has not run yet.
        entry_point: CHILD
            .entry_point()
            .expect("the system file declares this child"),
    }
}

impl Handler for Parent {
    type Error = sel4::Error;

    fn protected(&mut self, _: Channel, asked: MessageInfo) -> Result<MessageInfo, sel4::Error> {
        match asked.label() {
            STOP_AND_RESUME => {
                CHILD.stop()?;
                CHILD.resume_passive(CONTEXT)?;
                println!("parent: stopped and resumed the child");
            }
            RESTART => {
                CHILD.restart_passive(CONTEXT, self.entry_point)?;
                println!("parent: restarted the child");
            }
            other => panic!("{other} is not the label of a request"),
        }
        Ok(MessageInfo::new(0, 0))
    }
}
