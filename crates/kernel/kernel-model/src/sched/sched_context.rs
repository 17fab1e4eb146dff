//! Scheduling contexts: what each holds.

use super::refill::Refills;
use crate::clock::Ticks;
use crate::ids::{NotificationId, ReplyId, ThreadId};

/// A scheduling context (seL4 manual, *Scheduling Contexts*): the right to use processor time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SchedContext {
    pub(super) refills: Refills,
    pub(super) consumed: Ticks,
    pub(super) thread: Option<ThreadId>,
    pub(super) yield_from: Option<ThreadId>,
    /// The notification that lends it.
    pub notification: Option<NotificationId>,
    /// The top of the stack of reply objects through which it was lent.
    pub reply: Option<ReplyId>,
    /// What a timeout fault reports as its number.
    pub badge: u64,
}

impl SchedContext {
    pub(crate) fn new(refills: Refills, badge: u64) -> Self {
        Self {
            refills,
            consumed: 0,
            thread: None,
            yield_from: None,
            notification: None,
            reply: None,
            badge,
        }
    }

    /// The budget: what can be used, and when.
    pub fn refills(&self) -> &Refills {
        &self.refills
    }

    /// The time used since it was last asked for (`SchedContextConsumed`).
    pub fn consumed(&self) -> Ticks {
        self.consumed
    }

    /// The thread that runs on it.
    pub fn thread(&self) -> Option<ThreadId> {
        self.thread
    }

    /// The thread that has yielded to it and not run since.
    pub fn yield_from(&self) -> Option<ThreadId> {
        self.yield_from
    }
}
