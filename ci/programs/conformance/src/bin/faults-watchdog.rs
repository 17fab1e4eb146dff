//! Receives the timeout faults of another PD, and makes the PD continue after its endless loop.
#![no_std]
#![no_main]

use microkit_console::println;
use sel4::Fault;
use sel4_microkit::{Channel, Handler, MessageInfo, protection_domain, user_cap};

/// The watched thread (`<cap_tcb>` in the system file). Its timeout faults go to this PD.
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

    /// Handles timeout faults. They arrive as calls on the channel whose endpoint is the timeout
    /// endpoint. At the first fault the thread continues after its loop. At each further fault the
    /// thread continues at the same instruction, as soon as the thread has budget again.
    fn protected(&mut self, _: Channel, message: MessageInfo) -> Result<MessageInfo, sel4::Error> {
        let fault = message.fault();
        let Fault::Timeout(timeout) = &fault else {
            panic!("not a timeout fault: {fault}")
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
        // SAFETY: the loop is one instruction, and the next one makes a call.
        Ok(unsafe { MessageInfo::fault_reply(timeout.reply_with_pc(registers.pc() + 4)) })
    }
}
