//! The hypervisor's physical timer, which the kernel uses (Arm ARM, *The Generic Timer*).

use arm_sysregs::el0::accessors::{read_cntfrq_el0, read_cntpct_el0};
use arm_sysregs::el2::accessors::{write_cnthp_ctl_el2, write_cnthp_cval_el2};
use arm_sysregs::el2::registers::{CnthpCtlEl2, CnthpCvalEl2};
use kernel_model::{Clock, Ticks};

/// The timer, and its current deadline.
pub(super) struct Timer {
    deadline: Ticks,
}

impl Timer {
    /// Starts the timer without a deadline.
    pub(super) fn new() -> Self {
        let mut timer = Self { deadline: 0 };
        timer.set(Ticks::MAX);
        write_cnthp_ctl_el2(CnthpCtlEl2::ENABLE);
        timer
    }

    /// Sets the deadline. From the deadline on, the timer's IRQ is pending.
    pub(super) fn set(&mut self, deadline: Ticks) {
        if self.deadline != deadline {
            self.deadline = deadline;
            write_cnthp_cval_el2(CnthpCvalEl2::from_bits_retain(deadline));
        }
    }
}

/// Returns the current time.
pub(super) fn now() -> Ticks {
    read_cntpct_el0().bits()
}

/// Returns the clock of the timer, if its frequency is known and supported.
pub(super) fn clock() -> Option<Clock> {
    Clock::new(read_cntfrq_el0().bits())
}
