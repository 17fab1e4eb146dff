//! Restarts its children when they fault. At intervals, also restarts the children that never
//! fault.
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

/// The required number of restarts of each child.
const RESTARTS: u32 = 50;

struct Parent {
    children: [Record; CHILDREN],
    has_said_enough: bool,
}

/// The parent's record of a child.
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

    /// Restarts the child with its initial stack pointer. [`Child::restart`] keeps the stack
    /// pointer, and a child cannot run with it after a stack overflow.
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

    /// Each child notifies when it starts, and some children notify more often. A notification from
    /// `ping` requests a restart of the children that do not fault.
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

    /// Restarts the child, regardless of the fault: a child can send any message to the fault
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
