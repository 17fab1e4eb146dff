//! Implements the `Alarm` of `microkit-async` for the timer's client.

use microkit_async::Alarm;

use crate::Timer;

/// Arming the alarm cancels all other time-outs of the PD, so only tasks of the PD can use
/// time-outs.
impl Alarm for Timer {
    fn now_ns(&self) -> u64 {
        Timer::now_ns(self)
    }

    fn arm(&self, deadline_ns: u64) {
        self.reset();
        // `set` cannot fail, because the client has no other time-out.
        self.set(deadline_ns, 0).ok();
    }
}
