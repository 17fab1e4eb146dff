//! Prints the reports of the other programs, converted to instructions.
//!
//! With QEMU's `-icount shift=0` each instruction takes one nanosecond of guest time, so the
//! counter counts instructions. Without that option the numbers are not instructions.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use aarch64_cpu::registers::{CNTFRQ_EL0, CNTPCT_EL0, Readable};
use bench::report::{DONE, ROWS};
use microkit_console::println;
use sel4_microkit::{
    Channel, Handler, Infallible, MessageInfo, get_mr, panicking, protection_domain,
};

const NS_PER_S: u64 = 1_000_000_000;

struct Reporter {
    ns_per_tick: u64,
}

/// This PD has the highest priority, so it runs first.
#[protection_domain]
fn init() -> Reporter {
    let ticks = CNTPCT_EL0.get();
    panicking::set_hook(&microkit_console::panic_hook);
    let ns_per_tick = NS_PER_S / CNTFRQ_EL0.get();
    println!("boot to the first PD: {}", ticks * ns_per_tick);
    Reporter { ns_per_tick }
}

impl Handler for Reporter {
    type Error = Infallible;

    fn protected(&mut self, _: Channel, info: MessageInfo) -> Result<MessageInfo, Infallible> {
        let [ticks, round_trips] = [get_mr(0), get_mr(1)];
        match ROWS.get(info.label() as usize) {
            Some(row) => {
                let instructions = ticks * self.ns_per_tick;
                println!("{row}: {}", (instructions + round_trips / 2) / round_trips);
            }
            None if info.label() == DONE => println!("bench: done"),
            None => println!("bench: there is no row {}", info.label()),
        }
        Ok(MessageInfo::default())
    }
}
