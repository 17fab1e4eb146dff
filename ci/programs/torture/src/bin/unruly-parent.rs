//! Restarts its children whenever they fault, and those that do not fault from time to time.
#![no_std]
#![no_main]

use microkit_console::println;
use sel4::UserContext;
use sel4_microkit::{
    Channel, ChannelSet, Child, Handler, Infallible, MessageInfo, panicking, protection_domain,
};

const PING: Channel = Channel::new(20);

/// Children have the identifiers from 1 to this, and a channel of the same.
const CHILDREN: usize = 6;

/// So many lives are enough.
const LIVES: u32 = 50;

struct Parent {
    children: [Life; CHILDREN],
    has_said_enough: bool,
}

/// The lives of a child.
struct Life {
    child: Child,
    /// Where it begins to run.
    pc: u64,
    /// Where its stack begins.
    sp: u64,
    count: u32,
    /// Whether it has run in this life.
    has_run: bool,
}

#[protection_domain]
fn init() -> Parent {
    panicking::set_hook(&microkit_console::panic_hook);
    Parent {
        children: core::array::from_fn(|index| Life::new(index + 1)),
        has_said_enough: false,
    }
}

impl Life {
    /// The parent has the higher priority: the child has not run yet.
    fn new(id: usize) -> Self {
        let child = Child::new(id);
        let registers = child.tcb().tcb_read_registers(false, 2);
        let registers = registers.expect("it is a child");
        Self {
            child,
            pc: *registers.pc(),
            sp: *registers.sp(),
            count: 1,
            has_run: false,
        }
    }

    /// Not [`Child::restart`]: that leaves the stack pointer where it was, and a child that has
    /// used up its stack has none.
    fn begin_anew(&mut self) {
        let mut registers = UserContext::default();
        (*registers.pc_mut(), *registers.sp_mut()) = (self.pc, self.sp);
        let tcb = self.child.tcb();
        // SAFETY: the child begins where its program does, with the whole of its stack.
        unsafe { tcb.tcb_write_registers(true, 2, &mut registers) }.expect("it is a child");
        self.count += 1;
        self.has_run = false;
    }
}

impl Handler for Parent {
    type Error = Infallible;

    /// Children say so when they begin; `ping` says when it is time to look after those that do
    /// not fault. Some of them notify more often than that.
    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        for life in &mut self.children {
            life.has_run |= channels.contains(Channel::new(life.child.index()));
        }
        if channels.contains(PING) {
            for life in &mut self.children {
                if life.has_run {
                    life.begin_anew();
                }
            }
            self.say_if_enough();
        }
        Ok(())
    }

    /// What the fault is does not matter: a child can send here what it wants.
    fn fault(&mut self, child: Child, _: MessageInfo) -> Result<Option<MessageInfo>, Infallible> {
        if let Some(life) = self.children.get_mut(child.index() - 1) {
            life.begin_anew();
        }
        Ok(None)
    }
}

impl Parent {
    fn say_if_enough(&mut self) {
        let is_enough = self.children.iter().all(|life| life.count > LIVES);
        if is_enough && !self.has_said_enough {
            self.has_said_enough = true;
            println!("parent: every child has had {LIVES} lives and more");
            PING.notify();
        }
    }
}
