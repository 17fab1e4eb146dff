//! Gets the timeout fault of another protection domain, and has it go on elsewhere.
#![no_std]
#![no_main]

use microkit_console::println;
use sel4::Fault;
use sel4_microkit::{Channel, Handler, MessageInfo, protection_domain, user_cap};

/// The thread whose timeouts come here: `<cap_tcb>` in the system file.
const WATCHED: sel4::cap::Tcb = user_cap(1);

struct Watchdog {
    barked: bool,
}

#[protection_domain]
fn init() -> Watchdog {
    Watchdog { barked: false }
}

impl Handler for Watchdog {
    type Error = sel4::Error;

    /// The faults come as calls on the channel whose endpoint the parent has given the kernel. One
    /// whose budget has ended in a loop goes on after it; each further time it goes on where it is,
    /// as soon as it has budget again.
    fn protected(&mut self, _: Channel, message: MessageInfo) -> Result<MessageInfo, sel4::Error> {
        let fault = message.fault();
        let Fault::Timeout(timeout) = &fault else {
            panic!("no timeout: {fault}")
        };
        if self.barked {
            return Ok(MessageInfo::fault_retry());
        }
        self.barked = true;
        println!(
            "watchdog: a timeout, data {}: it leaves its loop",
            timeout.data()
        );
        let registers = WATCHED.tcb_read_registers(false, 1)?;
        // SAFETY: the loop is one instruction, and the child's next makes a call.
        Ok(unsafe { MessageInfo::fault_reply(timeout.reply_with_pc(registers.pc() + 4)) })
    }
}
