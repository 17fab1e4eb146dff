//! Runs the driver of the timer and its clients on the host, with a fake counter and timer of the
//! processor.

use arm_sysregs::el0::fake::SYSREGS;
use arm_sysregs::el0::registers::{CntfrqEl0, CntpCtlEl0, CntpctEl0};

use microkit_test::System;

#[path = "../src/bin/timer-client.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod client;
#[path = "../src/bin/timer-peer.rs"]
#[allow(unused_attributes)]
mod peer;
#[path = "../../../crates/drivers/timer/src/main.rs"]
#[allow(unused_attributes)]
mod timer;

const SYSTEM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../microkit-systems/timer.system"
);

const EXPECTED: &str = include_str!("../../../microkit-systems/timer.expected");

fn system() -> System {
    System::open(SYSTEM)
        .unwrap()
        .program("console.elf", microkit_console::host::protection_domain)
        .program("timer-client.elf", client::protection_domain)
        .program("timer-peer.elf", peer::protection_domain)
        .program("timer.elf", timer::protection_domain)
}

/// The frequency of the counter on QEMU's `virt`.
const TICKS_PER_S: u64 = 62_500_000;

/// Returns the counter value at which the timer raises its interrupt, if the timer is enabled.
fn alarm() -> Option<u64> {
    let registers = SYSREGS.lock().unwrap();
    let is_set = registers.cntp_ctl_el0.contains(CntpCtlEl0::ENABLE);
    is_set.then(|| registers.cntp_cval_el0.bits())
}

/// The fake registers are statics, so only one test may use them.
#[test]
fn time_outs_expire_in_order_however_late_the_interrupt_arrives() {
    // The delay of the interrupt in milliseconds, and the number of interrupts for the first eight
    // time-outs. One interrupt handles all time-outs that are due.
    for (late_ms, first) in [(0, 6), (1, 6), (12, 2), (1000, 1)] {
        SYSREGS.lock().unwrap().reset();
        SYSREGS.lock().unwrap().cntfrq_el0 = CntfrqEl0::from_bits_retain(TICKS_PER_S);
        let mut run = system().start();
        run.until_idle();
        let mut interrupts = 0;
        while let Some(at) = alarm() {
            let late = TICKS_PER_S / 1000 * late_ms;
            let mut registers = SYSREGS.lock().unwrap();
            let now = registers.cntpct_el0.bits().max(at + late);
            registers.cntpct_el0 = CntpctEl0::from_bits_retain(now);
            drop(registers);
            run.raise_irq("timer", 0);
            run.until_idle();
            interrupts += 1;
        }
        assert_eq!(run.log(), EXPECTED, "{late_ms} ms late");
        assert_eq!(interrupts, first + 100, "{late_ms} ms late");
    }
}
