//! A passive parent, whose child faults each time it runs. It hears of the first fault on its own
//! time, and of others on that of the child. By its name it replies, which gives the time back, or
//! restarts the child, which does not: then the child never runs again.
#![no_std]
#![no_main]

use microkit_console::println;
use sel4::UserContext;
use sel4_microkit::{
    Child, Handler, Infallible, MessageInfo, panicking, pd_is_passive, pd_name, protection_domain,
};

const CHILD: Child = Child::new(1);

/// Faults after which the child is left where it is.
const FAULTS: u32 = 4;

struct Parent {
    name: &'static str,
    faults: u32,
    /// Where the child begins to run.
    pc: u64,
    /// Where its stack begins.
    sp: u64,
}

#[protection_domain]
fn init() -> Parent {
    panicking::set_hook(&microkit_console::panic_hook);
    let name = pd_name().expect("it is in UTF-8");
    println!("{name}: passive is {}", pd_is_passive());
    let registers = CHILD.tcb().tcb_read_registers(false, 2);
    let registers = registers.expect("it is a child");
    Parent {
        name,
        faults: 0,
        pc: *registers.pc(),
        sp: *registers.sp(),
    }
}

impl Handler for Parent {
    type Error = Infallible;

    fn fault(&mut self, _: Child, _: MessageInfo) -> Result<Option<MessageInfo>, Infallible> {
        self.faults += 1;
        println!("{}: fault {}", self.name, self.faults);
        if self.faults == FAULTS {
            return Ok(None);
        }
        if self.name == "replies" {
            return Ok(Some(MessageInfo::new(0, 0)));
        }
        let mut registers = UserContext::default();
        (*registers.pc_mut(), *registers.sp_mut()) = (self.pc, self.sp);
        let tcb = CHILD.tcb();
        // SAFETY: the child begins where its program does, with the whole of its stack.
        unsafe { tcb.tcb_write_registers(true, 2, &mut registers) }.expect("it is a child");
        Ok(None)
    }
}
