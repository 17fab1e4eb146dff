//! Scheduling contexts and their fields.

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
    /// The notification that lends the scheduling context.
    pub notification: Option<NotificationId>,
    /// The top of the stack of reply objects through which the scheduling context was donated.
    pub reply: Option<ReplyId>,
    /// The badge that a timeout fault reports.
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

    /// Returns the refills.
    pub fn refills(&self) -> &Refills {
        &self.refills
    }

    /// Returns the time used since the last `SchedContextConsumed` invocation.
    pub fn consumed(&self) -> Ticks {
        self.consumed
    }

    /// Returns the thread that runs on the scheduling context.
    pub fn thread(&self) -> Option<ThreadId> {
        self.thread
    }

    /// Returns the thread that has yielded to the scheduling context and has not run since.
    pub fn yield_from(&self) -> Option<ThreadId> {
        self.yield_from
    }
}
