//! The timer's driver and its clients, where the counter and the timer of the processor are fakes.

use arm_sysregs::el0::fake::SYSREGS;
use arm_sysregs::el0::registers::{CntfrqEl0, CntpCtlEl0, CntpctEl0};

use crate::examples::{expected, open};

/// Of QEMU's `virt` machine.
const TICKS_PER_S: u64 = 62_500_000;

/// When the alarm is raised, if it is set.
fn alarm() -> Option<u64> {
    let registers = SYSREGS.lock().unwrap();
    let is_set = registers.cntp_ctl_el0.contains(CntpCtlEl0::ENABLE);
    is_set.then(|| registers.cntp_cval_el0.bits())
}

/// The registers are statics: one test has them.
#[test]
fn time_outs_expire_in_their_order_however_late_the_interrupt_comes() {
    // How late, in milliseconds, and how many interrupts that makes for the first eight: those that
    // are due come together.
    for (late_ms, first) in [(0, 6), (1, 6), (12, 2), (1000, 1)] {
        SYSREGS.lock().unwrap().reset();
        SYSREGS.lock().unwrap().cntfrq_el0 = CntfrqEl0::from_bits_retain(TICKS_PER_S);
        let mut run = open("timer").start();
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
        assert_eq!(run.log(), expected("timer"), "{late_ms} ms late");
        assert_eq!(interrupts, first + 100, "{late_ms} ms late");
    }
}
