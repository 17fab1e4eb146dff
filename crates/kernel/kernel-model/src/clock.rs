//! Ticks of the timer, and their conversion from and to microseconds.

use crate::numbers::{KERNEL_WCET_US, TIMER_HZ};

/// A time or a duration, in ticks of the timer.
pub type Ticks = u64;

/// The frequency of the timer, and the limits that follow from it.
///
/// Conversions round as in seL4's `arch/arm/arch/machine/timer.h`, so that a budget has the same
/// number of ticks on both kernels. With a frequency of whole megahertz, conversions are exact. Any
/// other frequency is rounded down to whole kilohertz, and the result is also rounded down.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub struct Clock {
    hz: u64,
}

impl Clock {
    /// The clock of `qemu_virt_aarch64`.
    pub const QEMU: Self = Self { hz: TIMER_HZ };

    /// Creates a clock with this frequency, or returns `None` if the frequency is below a
    /// kilohertz.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel_model::Clock;
    ///
    /// assert_eq!(Clock::new(62_500_000).map(|clock| clock.ticks(1000)), Some(62_500));
    /// assert_eq!(Clock::new(999), None);
    /// ```
    pub const fn new(hz: u64) -> Option<Self> {
        if hz < 1000 { None } else { Some(Self { hz }) }
    }

    /// Converts microseconds to ticks. The result saturates.
    pub const fn ticks(self, us: u64) -> Ticks {
        if self.hz.is_multiple_of(1_000_000) {
            us.saturating_mul(self.hz / 1_000_000)
        } else {
            us.saturating_mul(self.hz / 1000) / 1000
        }
    }

    /// Converts ticks to microseconds.
    pub const fn us(self, ticks: Ticks) -> u64 {
        if self.hz.is_multiple_of(1_000_000) {
            ticks / (self.hz / 1_000_000)
        } else {
            ticks.saturating_mul(1000) / (self.hz / 1000)
        }
    }

    /// Returns the largest number of ticks that [`us`](Self::us) converts without saturating.
    pub const fn max_ticks_in_us(self) -> Ticks {
        if self.hz.is_multiple_of(1_000_000) {
            u64::MAX
        } else {
            u64::MAX / (self.hz / 1000)
        }
    }

    /// Returns the minimum budget with which a thread may enter the kernel: twice the longest time
    /// that the kernel may take (seL4's `MIN_BUDGET`).
    pub const fn min_budget(self) -> Ticks {
        2 * self.ticks(KERNEL_WCET_US)
    }

    /// Returns the longest period, in microseconds (seL4's `MAX_PERIOD_US`).
    pub const fn max_period_us(self) -> u64 {
        let unit = if self.hz.is_multiple_of(1_000_000) {
            1_000_000
        } else {
            1000
        };
        u64::MAX / (self.hz / unit) / 8
    }

    /// Returns the time from which refills are not delayed any further, so that sums of times do
    /// not overflow (seL4's `MAX_RELEASE_TIME`).
    pub const fn max_release_time(self) -> Ticks {
        u64::MAX - 5 * self.ticks(self.max_period_us())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversions_round_as_sel4s_do() {
        let whole_megahertz = Clock { hz: 24_000_000 };
        assert_eq!(whole_megahertz.ticks(7), 168);
        assert_eq!(whole_megahertz.us(191), 7);
        assert_eq!(Clock::QEMU.ticks(1), 62);
        assert_eq!(Clock::QEMU.ticks(2), 125);
        assert_eq!(Clock::QEMU.us(124), 1);
        assert_eq!(Clock::QEMU.us(125), 2);
        let odd = Clock { hz: 54_321_987 };
        assert_eq!(odd.ticks(1_000_000), 54_321_000);
    }

    #[test]
    fn limits_are_those_of_the_platform() {
        assert_eq!(Clock::QEMU.min_budget(), 1250);
        assert_eq!(Clock::QEMU.max_period_us(), u64::MAX / 62_500 / 8);
        assert!(Clock::QEMU.max_release_time() > u64::MAX / 3);
    }

    #[test]
    fn no_time_is_too_long_to_convert() {
        for hz in [1000, 1_000_000, 62_500_000, u64::MAX] {
            let clock = Clock { hz };
            for number in [0, 1, u64::MAX] {
                let _ = (clock.ticks(number), clock.us(number));
            }
            let _ = (clock.min_budget(), clock.max_release_time());
        }
    }
}
