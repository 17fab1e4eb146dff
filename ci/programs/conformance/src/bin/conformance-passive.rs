//! A passive parent whose child faults each time it runs. The parent handles the first fault on its
//! own scheduling context, and later faults on the child's. The parent `replies` replies, and the
//! reply returns the scheduling context. The other parent only restarts the child. A restart does
//! not return the scheduling context, so the child never runs again.
#![no_std]
#![no_main]

use microkit_console::println;
use sel4::UserContext;
use sel4_microkit::{
    Child, Handler, Infallible, MessageInfo, panicking, pd_is_passive, pd_name, protection_domain,
};

const CHILD: Child = Child::new(1);

/// After this many faults the child stays stopped.
const FAULTS: u32 = 4;

struct Parent {
    name: &'static str,
    faults: u32,
    /// The entry point of the child.
    pc: u64,
    /// The initial stack pointer of the child.
    sp: u64,
}

#[protection_domain]
fn init() -> Parent {
    panicking::set_hook(&microkit_console::panic_hook);
    let name = pd_name().expect("the name is UTF-8");
    println!("{name}: passive is {}", pd_is_passive());
    let registers = CHILD.tcb().tcb_read_registers(false, 2);
    let registers = registers.expect("the system file declares this child");
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
        // SAFETY: the child starts at the entry point of its program, with the initial stack
        // pointer.
        unsafe { tcb.tcb_write_registers(true, 2, &mut registers) }
            .expect("the system file declares this child");
        Ok(None)
    }
}
