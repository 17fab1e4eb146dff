//! Restarts a child ten thousand times: when the child faults, and when another PD requests a
//! restart. A restart can occur at any point of the child's execution.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use sel4_microkit::{
    Channel, ChannelSet, Child, EntryPoint, Handler, MessageInfo, panicking, protection_domain,
};

const CHILD: Child = Child::new(1);
const PING: Channel = Channel::new(1);

const RESTARTS: u32 = 10_000;

struct Parent {
    entry_point: EntryPoint,
    restarts: u32,
    faults: u32,
}

#[protection_domain]
fn init() -> Parent {
    panicking::set_hook(&microkit_console::panic_hook);
    Parent {
        // The child has a lower priority, so it has not run yet.
        entry_point: CHILD
            .entry_point()
            .expect("the system file declares this child"),
        restarts: 0,
        faults: 0,
    }
}

impl Parent {
    fn restart(&mut self) -> Result<(), sel4::Error> {
        if self.restarts == RESTARTS {
            assert!(self.faults > RESTARTS / 10, "{} faults", self.faults);
            println!("parent: {RESTARTS} restarts, many of them after a fault");
            PING.notify();
            return CHILD.stop();
        }
        self.restarts += 1;
        CHILD.restart(self.entry_point)
    }
}

impl Handler for Parent {
    type Error = sel4::Error;

    /// Restarts the child. `ping` requests this between rounds, `pong` during a call of the child.
    fn notified(&mut self, _: ChannelSet) -> Result<(), sel4::Error> {
        self.restart()
    }

    /// Handles the child's report that state of an earlier incarnation is left.
    fn protected(&mut self, _: Channel, found: MessageInfo) -> Result<MessageInfo, sel4::Error> {
        println!("parent: the child has found {:#x}", found.label());
        Ok(MessageInfo::new(0, 0))
    }

    fn fault(&mut self, _: Child, _: MessageInfo) -> Result<Option<MessageInfo>, sel4::Error> {
        self.faults += 1;
        self.restart()?;
        Ok(None)
    }
}
