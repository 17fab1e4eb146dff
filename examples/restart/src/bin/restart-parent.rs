//! Restarts its child at the end of each incarnation, and prints the cause of the end.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};

use microkit_console::println;
use sel4::Fault;
use sel4_microkit::{
    Channel, ChannelSet, Child, EntryPoint, Handler, MessageInfo, is_stack_overflow,
    protection_domain, shared_words,
};

const CHILD: Child = Child::new(1);
const CHANNEL: Channel = Channel::new(1);

/// The size of the child's stack in the system file.
const STACK_BYTES: u64 = 0x2000;

struct Parent {
    entry_point: EntryPoint,
    /// The number of the child's incarnation. A restart resets the child's own memory, so the
    /// number is in a memory region.
    incarnation: &'static AtomicU64,
}

#[protection_domain]
fn init() -> Parent {
    Parent {
        // The child has a lower priority, so it has not run yet.
        entry_point: CHILD
            .entry_point()
            .expect("the system file declares this child"),
        incarnation: &shared_words!(incarnation, incarnation_size)[0],
    }
}

impl Parent {
    fn restart(&self, how: &str) -> Result<(), sel4::Error> {
        let incarnation = self.incarnation.fetch_add(1, Ordering::Relaxed);
        println!("parent: incarnation {incarnation} has ended: {how}");
        CHILD.restart(self.entry_point)
    }
}

impl Handler for Parent {
    type Error = sel4::Error;

    fn notified(&mut self, _: ChannelSet) -> Result<(), sel4::Error> {
        self.restart("it asked for the restart")
    }

    fn protected(&mut self, channel: Channel, _: MessageInfo) -> Result<MessageInfo, sel4::Error> {
        assert_eq!(channel, CHANNEL);
        self.restart("it called, and never receives the reply")?;
        Ok(MessageInfo::new(0, 0))
    }

    fn fault(
        &mut self,
        child: Child,
        msg_info: MessageInfo,
    ) -> Result<Option<MessageInfo>, sel4::Error> {
        assert_eq!(child, CHILD);
        match msg_info.fault() {
            Fault::VmFault(fault) if is_stack_overflow(&fault, STACK_BYTES) => {
                self.restart("its stack of 0x2000 bytes was too small")?;
            }
            Fault::VmFault(_) => self.restart("a VM fault")?,
            Fault::UserException(_) => self.restart("a user exception")?,
            _ => self.restart("another fault")?,
        }
        // A reply would resume the child at the faulting instruction.
        Ok(None)
    }
}
