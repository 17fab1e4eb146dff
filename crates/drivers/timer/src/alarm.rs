//! The timer as the `Alarm` of tasks.

use microkit_async::Alarm;

use crate::Timer;

/// Arming resets the client, so the PD can use time-outs only in its tasks.
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
