//! The driver of `embassy-time`, based on one alarm.

use core::cell::{Cell, RefCell};
use core::task::Waker;

use crate::deadlines::Deadlines;
use embassy_time_driver::Driver;
use sel4_microkit::{Channel, ChannelSet};

/// A clock with one alarm, usually a client of a timer driver.
///
/// **Blocking:** the methods block for as long as their calls to the driver. The methods are called
/// in `init` and between tasks, so the program's `waits!` must list the calls to the driver.
///
/// # Examples
///
/// This example implements `Alarm` for a driver that does not use `microkit-timer`. (With the
/// feature `async`, `microkit-timer` already implements `Alarm`.)
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
    /// Returns the time in nanoseconds since a fixed start. The time never decreases.
    fn now_ns(&self) -> u64;

    /// Sets the alarm. The driver then notifies at `deadline_ns`, or at once if that deadline has
    /// passed. The new deadline replaces the previous deadline.
    fn arm(&self, deadline_ns: u64);
}

/// The maximum number of tasks that wait for time. Each task has one entry, for its earliest
/// deadline.
const WAITING: usize = 32;

/// The waiting tasks with their deadlines, and the alarm.
pub(crate) struct Time {
    alarm: Cell<Option<(Channel, &'static (dyn Alarm + Sync))>>,
    waiting: RefCell<Deadlines<Waiting, WAITING>>,
    /// The deadline of the alarm, or `None` if the alarm is not armed. The initial
    /// value `None` consists of zero bytes, so a restart only clears the value.
    armed_ns: Cell<Option<u64>>,
    /// Whether the alarm has expired, or a task waits for an earlier deadline.
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

    /// Handles the notification of the alarm. Returns all channels except the channel of the alarm.
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

    /// Wakes the tasks whose deadline has passed, and sets the alarm to the next deadline.
    ///
    /// This function only calls wakers, and wakers do not wait. So a task that waits for a held
    /// object never delays the deadline of another task.
    pub(crate) fn settle(&self) {
        if !self.has_changed.replace(false) {
            return;
        }
        let Some((_, alarm)) = self.alarm.get() else {
            return;
        };
        let now_ns = alarm.now_ns();
        // A waker may insert a new deadline, so `waiting` is not borrowed during the call.
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
        // Without an alarm, the time stays 0.
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
