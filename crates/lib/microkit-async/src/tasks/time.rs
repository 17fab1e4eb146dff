//! The driver of `embassy-time`, over one alarm.

use core::cell::{Cell, RefCell};
use core::task::Waker;

use crate::deadlines::Deadlines;
use embassy_time_driver::Driver;
use sel4_microkit::{Channel, ChannelSet};

/// A clock with one alarm: a client of a timer driver.
///
/// **Blocking:** the methods wait as that driver does. They are called in `init` and between tasks,
/// so the program's `waits!` lists the calls that they make.
///
/// # Examples
///
/// A client of a driver with calls of its own (`microkit-timer` with its feature `async` needs none
/// of this):
///
/// ```no_run
/// use microkit_async::Alarm;
/// use sel4_microkit::{Channel, MessageInfo};
///
/// struct Clock(Channel);
///
/// impl Alarm for Clock {
///     fn now_ns(&self) -> u64 {
///         self.0.pp_call_with_mrs(MessageInfo::new(0, 0), []).1[0]
///     }
///
///     fn arm(&self, deadline_ns: u64) {
///         self.0.pp_call_with_mrs(MessageInfo::new(1, 1), [deadline_ns]);
///     }
/// }
/// ```
pub trait Alarm {
    /// Returns the time in nanoseconds since some start. It never goes back.
    fn now_ns(&self) -> u64;

    /// Makes the driver notify at `deadline_ns`, or at once if that has passed. This replaces an
    /// earlier deadline.
    fn arm(&self, deadline_ns: u64);
}

/// The number of tasks that can wait for the time. A task waits once, for the earliest of its
/// deadlines.
const WAITING: usize = 32;

/// Which task waits for which time.
pub(crate) struct Time {
    alarm: Cell<Option<(Channel, &'static (dyn Alarm + Sync))>>,
    waiting: RefCell<Deadlines<Waiting, WAITING>>,
    /// The time at which the driver notifies, if it does. It is an `Option`, so that the static has
    /// no initialised data, which a restart would have to restore.
    armed_ns: Cell<Option<u64>>,
    /// Whether the alarm has gone off, or a task waits for an earlier time.
    has_changed: Cell<bool>,
}

struct Waiting {
    at_ns: u64,
    waker: Waker,
}

impl Time {
    pub(crate) const fn new() -> Self {
        Self {
            alarm: Cell::new(None),
            waiting: RefCell::new(Deadlines::new()),
            armed_ns: Cell::new(None),
            has_changed: Cell::new(false),
        }
    }

    pub(crate) fn set_alarm(&self, channel: Channel, alarm: &'static (dyn Alarm + Sync)) {
        self.alarm.set(Some((channel, alarm)));
    }

    pub(crate) fn has_changed(&self) -> bool {
        self.has_changed.get()
    }

    /// Handles the alarm's notification. Returns the other channels.
    pub(crate) fn notified(&self, channels: ChannelSet) -> ChannelSet {
        let Some((own, _)) = self.alarm.get() else {
            return channels;
        };
        if channels.contains(own) {
            self.armed_ns.set(None);
            self.has_changed.set(true);
        }
        channels.iter().filter(|channel| *channel != own).collect()
    }

    /// Wakes the tasks whose time has come, and sets the alarm to the next deadline.
    ///
    /// Only wakers run here, and they do not wait. So a task that holds something which another
    /// task needs never delays a third task's time.
    pub(crate) fn settle(&self) {
        if !self.has_changed.replace(false) {
            return;
        }
        let Some((_, alarm)) = self.alarm.get() else {
            return;
        };
        let now_ns = alarm.now_ns();
        // A waker may insert a new deadline, so nothing stays borrowed.
        let next = || self.waiting.borrow_mut().take_due(now_ns);
        while let Some((_, due)) = next() {
            due.waker.wake();
        }
        let earliest_ns = self.waiting.borrow().earliest();
        if let Some(next_ns) = earliest_ns
            && Some(next_ns) != self.armed_ns.replace(Some(next_ns))
        {
            alarm.arm(next_ns);
        }
    }

    fn now_ns(&self) -> u64 {
        // Before there is an alarm, no time has passed.
        self.alarm.get().map_or(0, |(_, alarm)| alarm.now_ns())
    }

    fn wake_at(&self, at_ns: u64, waker: &Waker) {
        assert!(
            self.alarm.get().is_some(),
            "a task waits for the time, and there is no clock: give `Tasks` an alarm by `with_alarm`"
        );
        let mut waiting = self.waiting.borrow_mut();
        let before_ns = waiting.earliest();
        let mut at_ns = at_ns;
        waiting.retain(|other| {
            let is_same = other.waker.will_wake(waker);
            if is_same {
                at_ns = at_ns.min(other.at_ns);
            }
            !is_same
        });
        let waker = waker.clone();
        assert!(
            waiting.insert(at_ns, Waiting { at_ns, waker }).is_ok(),
            "more than {WAITING} tasks wait for the time"
        );
        if waiting.earliest() != before_ns {
            self.has_changed.set(true);
        }
    }
}

struct OfThisProtectionDomain;

impl Driver for OfThisProtectionDomain {
    fn now(&self) -> u64 {
        super::context::with(|context| context.time.now_ns())
    }

    fn schedule_wake(&self, at_ns: u64, waker: &Waker) {
        super::context::with(|context| context.time.wake_at(at_ns, waker));
    }
}

embassy_time_driver::time_driver_impl!(
    static DRIVER: OfThisProtectionDomain = OfThisProtectionDomain
);
