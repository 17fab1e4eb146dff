//! The assignment of scheduling contexts to threads: donation, binding and yielding (seL4 manual,
//! *Scheduling Contexts*; seL4's `object/schedcontext.c`).

use super::Scheduler;
use crate::ids::{SchedContextId, ThreadId};

impl Scheduler {
    /// Donates a scheduling context to a thread that has none. The previous thread loses the
    /// scheduling context (`schedContext_donate`).
    pub(crate) fn donate(&mut self, sched_context: SchedContextId, to: ThreadId) {
        debug_assert!(self.threads[to].sched_context.is_none());
        if let Some(from) = self.sched_contexts[sched_context].thread {
            self.dequeue(from);
            self.threads[from].sched_context = None;
            if self.current == Some(from) || self.has_chosen(from) {
                self.reschedule();
            }
        }
        self.sched_contexts[sched_context].thread = Some(to);
        self.threads[to].sched_context = Some(sched_context);
    }

    /// Takes a scheduling context back from a thread that is about to wait
    /// (`maybeReturnSchedContext`).
    pub(crate) fn take_back(&mut self, sched_context: SchedContextId, from: ThreadId) {
        debug_assert_eq!(self.threads[from].sched_context, Some(sched_context));
        self.threads[from].sched_context = None;
        self.sched_contexts[sched_context].thread = None;
        self.reschedule_if_current(from);
    }

    /// Binds a scheduling context to a thread (`schedContext_bindTCB`). The scheduling context and
    /// the thread must be unbound.
    pub(crate) fn bind_thread(&mut self, sched_context: SchedContextId, thread: ThreadId) {
        self.threads[thread].sched_context = Some(sched_context);
        self.sched_contexts[sched_context].thread = Some(thread);
        self.postpone_unless_released(sched_context);
        if self.threads[thread].is_schedulable() {
            self.enqueue_first(thread);
            self.reschedule();
        }
    }

    /// Unbinds a scheduling context from its thread, if any (`schedContext_unbindTCB`).
    pub(crate) fn unbind_thread(&mut self, sched_context: SchedContextId) {
        let Some(thread) = self.sched_contexts[sched_context].thread.take() else {
            return;
        };
        self.reschedule_if_current(thread);
        self.dequeue(thread);
        self.threads[thread].sched_context = None;
    }

    /// Makes the thread of a scheduling context run next at its priority, in place of the caller
    /// (seL4 manual, *`seL4_SchedContext_YieldTo`*).
    ///
    /// Returns whether the caller yields, because the target has at least the caller's priority.
    /// The yield is completed when the caller runs again.
    pub(crate) fn yield_to(&mut self, caller: ThreadId, sched_context: SchedContextId) -> bool {
        let Some(target) = self.sched_contexts[sched_context].thread else {
            return false;
        };
        self.postpone_unless_released(sched_context);
        let schedulable = self.threads[target].is_schedulable();
        if schedulable && self.threads[target].priority >= self.threads[caller].priority {
            self.threads[caller].yield_to = Some(sched_context);
            self.sched_contexts[sched_context].yield_from = Some(caller);
            self.dequeue_ready(target);
            self.enqueue_first(caller);
            self.enqueue_first(target);
            self.reschedule();
            return true;
        }
        if schedulable {
            self.dequeue_ready(target);
            self.enqueue_first(target);
        }
        false
    }

    /// Clears the record of a thread's yield, if any (`schedContext_cancelYieldTo`).
    pub(crate) fn cancel_yield(&mut self, thread: ThreadId) {
        if let Some(sched_context) = self.threads[thread].yield_to.take() {
            self.sched_contexts[sched_context].yield_from = None;
        }
    }
}
