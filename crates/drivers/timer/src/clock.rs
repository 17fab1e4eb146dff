//! The physical counter and timer of the processor (Arm ARM, *The Generic Timer*).
//!
//! seL4 allows PDs to use these registers on this board: the SDK's configurations set
//! `EXPORT_PCNT_USER` and `EXPORT_PTMR_USER`.

use arm_sysregs::el0::accessors::{
    read_cntfrq_el0, read_cntpct_el0, write_cntp_ctl_el0, write_cntp_cval_el0,
};
use arm_sysregs::el0::registers::{CntpCtlEl0, CntpCvalEl0};

const NS_PER_S: u128 = 1_000_000_000;

/// A clock that reads the counter, with the timer as its only alarm.
pub(crate) struct Clock {
    ticks_per_s: u128,
}

impl Clock {
    /// Creates the clock, and switches the alarm off.
    pub(crate) fn new() -> Self {
        let clock = Self {
            ticks_per_s: read_cntfrq_el0().bits().max(1).into(),
        };
        clock.set_alarm(None);
        clock
    }

    /// Returns the time in nanoseconds since the counter started.
    pub(crate) fn now_ns(&self) -> u64 {
        let ticks = u128::from(read_cntpct_el0().bits());
        saturated(ticks * NS_PER_S / self.ticks_per_s)
    }

    /// Sets the alarm, or switches the alarm off. The interrupt is level-triggered: from `at_ns`,
    /// the interrupt stays raised until the alarm is set again.
    pub(crate) fn set_alarm(&self, at_ns: Option<u64>) {
        let Some(at_ns) = at_ns else {
            write_cntp_ctl_el0(CntpCtlEl0::empty());
            return;
        };
        // Round up, so that `now_ns` is not before `at_ns` when the interrupt arrives.
        let ticks = (u128::from(at_ns) * self.ticks_per_s).div_ceil(NS_PER_S);
        write_cntp_cval_el0(CntpCvalEl0::from_bits_retain(saturated(ticks)));
        write_cntp_ctl_el0(CntpCtlEl0::ENABLE);
    }
}

fn saturated(value: u128) -> u64 {
    value.try_into().unwrap_or(u64::MAX)
}
