//! The global state of a protection domain: its listeners, wakers, holds and deadlines.
//!
//! On the target the state is a static. On a host, several protection domains share a process, and
//! each protection domain has a separate state.

use core::cell::Cell;
use core::task::Waker;

use sel4_microkit::{Channel, ChannelSet};

use super::holds::Holds;
use super::time::Time;

/// The number of channels (Microkit manual, *Limits*). Each channel has one bit in a word.
const CHANNELS: usize = 64;

pub(crate) struct Context {
    /// Whether [`Tasks`](crate::Tasks) were created.
    pub(crate) has_tasks: Cell<bool>,
    /// Whether a task was woken since the executor last ran.
    pub(crate) is_woken: Cell<bool>,
    /// The holds of [`Drainable`](crate::Drainable)s.
    pub(crate) holds: Holds,
    pub(crate) time: Time,
    /// Channels with a notification that no task has taken yet.
    notified: Cell<u64>,
    /// Channels that have a listener.
    listened: Cell<u64>,
    wakers: [Cell<Option<Waker>>; CHANNELS],
}

impl Context {
    const fn new() -> Self {
        Self {
            has_tasks: Cell::new(false),
            is_woken: Cell::new(false),
            holds: Holds::new(),
            time: Time::new(),
            notified: Cell::new(0),
            listened: Cell::new(0),
            wakers: [const { Cell::new(None) }; CHANNELS],
        }
    }

    /// Records notifications, and wakes the tasks that wait for these notifications. Returns the
    /// channels without a listener.
    pub(crate) fn notify(&self, channels: ChannelSet) -> ChannelSet {
        let mut others = ChannelSet::default();
        for channel in channels {
            self.notified.set(self.notified.get() | bit(channel));
            if self.listened.get() & bit(channel) == 0 {
                others.extend([channel]);
            }
            if let Some(waker) = self.wakers[channel.index()].take() {
                waker.wake();
            }
        }
        others
    }

    /// Takes the notification of a channel. Returns whether the notification was pending.
    pub(crate) fn take(&self, channel: Channel) -> bool {
        let notified = self.notified.get();
        self.notified.set(notified & !bit(channel));
        notified & bit(channel) != 0
    }

    /// Sets the waker to call when the channel is notified.
    pub(crate) fn wake_by(&self, channel: Channel, waker: &Waker) {
        self.wakers[channel.index()].set(Some(waker.clone()));
    }

    /// Registers a listener of a channel. Returns false if the channel already has a listener.
    pub(crate) fn listen(&self, channel: Channel) -> bool {
        let listened = self.listened.get();
        self.listened.set(listened | bit(channel));
        listened & bit(channel) == 0
    }

    /// Removes the listener of a channel.
    pub(crate) fn release(&self, channel: Channel) {
        self.listened.set(self.listened.get() & !bit(channel));
        self.wakers[channel.index()].set(None);
    }
}

fn bit(channel: Channel) -> u64 {
    1 << channel.index()
}

/// Runs `f` with the context of this protection domain.
#[cfg(target_os = "none")]
pub(crate) fn with<R>(f: impl FnOnce(&Context) -> R) -> R {
    static CONTEXT: critical_section::Mutex<Context> = critical_section::Mutex::new(Context::new());
    critical_section::with(|section| f(CONTEXT.borrow(section)))
}

/// Runs `f` with the context of this protection domain.
#[cfg(not(target_os = "none"))]
pub(crate) fn with<R>(f: impl FnOnce(&Context) -> R) -> R {
    f(&sel4_microkit::host::local::<Context>())
}

#[cfg(not(target_os = "none"))]
impl Default for Context {
    fn default() -> Self {
        Self::new()
    }
}
