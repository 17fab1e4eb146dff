//! Threads and scheduling: the running thread, its scheduling context, and its deadline (seL4
//! manual, *Threads*, *Scheduling*).
//!
//! Between two steps, a runnable thread with a scheduling context is in exactly one place:
//!
//! ```text
//!               possible_switch_to            schedule
//!   (blocked) ──────────────────▶ ready queue ────────▶ current
//!                                  ▲      │                │
//!                   awaken         │      │ postpone       │ the budget is used up
//!                                  │      ▼                │
//!                                  release queue ◀─────────┘
//! ```
//!
//! All of this state is private to this module. Other modules change a thread's run state, its
//! scheduling context or a queue only through the methods of [`Scheduler`]. In a [`Thread`], other
//! modules can assign only the fields that do not affect scheduling, such as its registers.

mod budget;
mod donation;
mod queue;
mod rebase;
mod refill;
mod sched_context;
mod schedule;
mod thread;

pub(crate) use budget::BudgetExpired;
pub use queue::Queue;
pub use refill::{Refill, Refills};
pub use sched_context::SchedContext;
pub(crate) use thread::{SchedulerQueue, Threads};
pub use thread::{Thread, ThreadState};

use crate::clock::{Clock, Ticks};
use crate::ids::{Arena, SchedContextId, ThreadId};
use schedule::Choice;

/// The threads, their scheduling contexts, the ready and release queues, and the time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Scheduler {
    threads: Threads,
    sched_contexts: Arena<SchedContextId, SchedContext>,
    clock: Clock,
    /// The running thread, or `None` if the machine is idle.
    current: Option<ThreadId>,
    /// The scheduling context that is charged. Within a step, `current_sc` can differ from the
    /// scheduling context of `current`.
    current_sc: Option<SchedContextId>,
    /// The time of the last entry.
    now: Ticks,
    /// The time since `current_sc` was last charged, up to the last entry.
    unbilled: Ticks,
    choice: Choice,
    /// Whether the timer must be set again before the step ends.
    reprogram: bool,
    /// The time at which the timer fires.
    deadline: Option<Ticks>,
    /// The ready queue, sorted by priority.
    ready: Queue,
    /// The release queue: threads without budget, sorted by the time of their next refill.
    release: Queue,
}

// The accessors are always inlined: tests run whole systems without optimisation, and every step
// calls the accessors often.
impl Scheduler {
    pub(crate) fn new(
        threads: impl Iterator<Item = Thread>,
        sched_contexts: impl Iterator<Item = SchedContext>,
        clock: Clock,
    ) -> Self {
        Self {
            threads: Arena::new(threads),
            sched_contexts: Arena::new(sched_contexts),
            clock,
            current: None,
            current_sc: None,
            now: 0,
            unbilled: 0,
            choice: Choice::default(),
            reprogram: false,
            deadline: None,
            ready: Queue::default(),
            release: Queue::default(),
        }
    }

    #[inline(always)]
    pub(crate) fn threads(&self) -> &Threads {
        &self.threads
    }

    #[inline(always)]
    pub(crate) fn threads_mut(&mut self) -> &mut Threads {
        &mut self.threads
    }

    #[inline(always)]
    pub(crate) fn thread(&self, thread: ThreadId) -> &Thread {
        &self.threads[thread]
    }

    #[inline(always)]
    pub(crate) fn thread_mut(&mut self, thread: ThreadId) -> &mut Thread {
        &mut self.threads[thread]
    }

    pub(crate) fn sched_contexts(&self) -> &Arena<SchedContextId, SchedContext> {
        &self.sched_contexts
    }

    #[inline(always)]
    pub(crate) fn sched_context(&self, sched_context: SchedContextId) -> &SchedContext {
        &self.sched_contexts[sched_context]
    }

    #[inline(always)]
    pub(crate) fn sched_context_mut(&mut self, sched_context: SchedContextId) -> &mut SchedContext {
        &mut self.sched_contexts[sched_context]
    }

    pub(crate) fn now(&self) -> Ticks {
        self.now
    }

    #[inline(always)]
    pub(crate) fn current(&self) -> Option<ThreadId> {
        self.current
    }

    pub(crate) fn current_sc(&self) -> Option<SchedContextId> {
        self.current_sc
    }

    pub(crate) fn unbilled(&self) -> Ticks {
        self.unbilled
    }

    pub(crate) fn deadline(&self) -> Option<Ticks> {
        self.deadline
    }

    pub(crate) fn ready(&self) -> Queue {
        self.ready
    }

    pub(crate) fn release(&self) -> Queue {
        self.release
    }

    /// Returns whether the next thread is chosen and the timer is set. The result is `true` between
    /// two steps.
    pub(crate) fn is_settled(&self) -> bool {
        self.choice == Choice::Keep && !self.reprogram
    }
}
