//! Restarts its children whenever they fault, and restarts those that do not fault from time to
//! time.
#![no_std]
#![no_main]

use microkit_console::println;
use sel4::UserContext;
use sel4_microkit::{
    Channel, ChannelSet, Child, Handler, Infallible, MessageInfo, panicking, protection_domain,
};

const PING: Channel = Channel::new(20);

/// The number of children. Their identifiers are 1 to this number, and each has a channel with the
/// same identifier.
const CHILDREN: usize = 6;

/// The restarts of each child that are enough.
const RESTARTS: u32 = 50;

struct Parent {
    children: [Record; CHILDREN],
    has_said_enough: bool,
}

/// What the parent knows about a child.
struct Record {
    child: Child,
    /// The entry point of the child.
    pc: u64,
    /// The initial stack pointer of the child.
    sp: u64,
    count: u32,
    /// Whether the child has run in this incarnation.
    has_run: bool,
}

#[protection_domain]
fn init() -> Parent {
    panicking::set_hook(&microkit_console::panic_hook);
    Parent {
        children: core::array::from_fn(|index| Record::new(index + 1)),
        has_said_enough: false,
    }
}

impl Record {
    /// Reads the initial registers of the child. The parent has a higher priority, so the child has
    /// not run yet.
    fn new(id: usize) -> Self {
        let child = Child::new(id);
        let registers = child.tcb().tcb_read_registers(false, 2);
        let registers = registers.expect("the system file declares this child");
        Self {
            child,
            pc: *registers.pc(),
            sp: *registers.sp(),
            count: 1,
            has_run: false,
        }
    }

    /// Restarts the child. [`Child::restart`] would keep the stack pointer, and a child that has
    /// overflowed its stack could not run with it.
    fn restart(&mut self) {
        let mut registers = UserContext::default();
        (*registers.pc_mut(), *registers.sp_mut()) = (self.pc, self.sp);
        let tcb = self.child.tcb();
        // SAFETY: the child starts at the entry point of its program, with the initial stack
        // pointer.
        unsafe { tcb.tcb_write_registers(true, 2, &mut registers) }
            .expect("the system file declares this child");
        self.count += 1;
        self.has_run = false;
    }
}

impl Handler for Parent {
    type Error = Infallible;

    /// Each child notifies when it starts, and some of them more often. `ping` notifies when it is
    /// time to restart the children that do not fault.
    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        for record in &mut self.children {
            record.has_run |= channels.contains(Channel::new(record.child.index()));
        }
        if channels.contains(PING) {
            for record in &mut self.children {
                if record.has_run {
                    record.restart();
                }
            }
            self.say_if_enough();
        }
        Ok(())
    }

    /// Restarts the child, whatever the fault is: a child can send any message to the fault
    /// endpoint.
    fn fault(&mut self, child: Child, _: MessageInfo) -> Result<Option<MessageInfo>, Infallible> {
        if let Some(record) = self.children.get_mut(child.index() - 1) {
            record.restart();
        }
        Ok(None)
    }
}

impl Parent {
    fn say_if_enough(&mut self) {
        let is_enough = self.children.iter().all(|record| record.count > RESTARTS);
        if is_enough && !self.has_said_enough {
            self.has_said_enough = true;
            println!("parent: every child was restarted at least {RESTARTS} times");
            PING.notify();
        }
    }
}
