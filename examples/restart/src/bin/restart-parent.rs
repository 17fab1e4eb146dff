//! Restarts a child whenever it ends, says how it ended, and goes on.
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

/// The child's, in the system file.
const STACK_BYTES: u64 = 0x2000;

struct Parent {
    entry_point: EntryPoint,
    /// Which life of the child it is, in a memory region: the child's own memory forgets.
    life: &'static AtomicU64,
}

#[protection_domain]
fn init() -> Parent {
    Parent {
        // The child has the lower priority, and has not run yet.
        entry_point: CHILD.entry_point().expect("it is a child"),
        life: &shared_words!(life, life_size)[0],
    }
}

impl Parent {
    fn restart(&self, how: &str) -> Result<(), sel4::Error> {
        let life = self.life.fetch_add(1, Ordering::Relaxed);
        println!("parent: life {life} has ended: {how}");
        CHILD.restart(self.entry_point)
    }
}

impl Handler for Parent {
    type Error = sel4::Error;

    fn notified(&mut self, _: ChannelSet) -> Result<(), sel4::Error> {
        self.restart("it asked for it, and waits for ever")
    }

    fn protected(&mut self, channel: Channel, _: MessageInfo) -> Result<MessageInfo, sel4::Error> {
        assert_eq!(channel, CHANNEL);
        self.restart("it waited for a reply, which it will not see")?;
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
        // The reply would let it go on where it has faulted.
        Ok(None)
    }
}
