//! The driver as what tells tasks the time.

use microkit_async::Alarm;

use crate::Timer;

/// The client then has no other time-outs than those of its tasks.
impl Alarm for Timer {
    fn now_ns(&self) -> u64 {
        Timer::now_ns(self)
    }

    fn arm(&self, deadline_ns: u64) {
        self.reset();
        // There is room: it is the only one.
        self.set(deadline_ns, 0).ok();
    }
}
