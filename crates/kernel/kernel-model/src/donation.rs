//! Whose scheduling context is whose: binding, lending and yielding (seL4 manual, *Scheduling
//! Contexts*; seL4's `object/schedcontext.c`).

use crate::ids::{NotificationId, SchedContextId, ThreadId};
use crate::kernel::Kernel;
use crate::machine::Machine;

impl Kernel {
    /// Gives a scheduling context to a thread that has none, and takes it from the one that has it
    /// (`schedContext_donate`).
    pub(crate) fn donate(&mut self, sched_context: SchedContextId, to: ThreadId) {
        debug_assert!(self.threads[to].sched_context.is_none());
        if let Some(from) = self.sched_contexts[sched_context].thread {
            self.dequeue_ready(from);
            self.dequeue_release(from);
            self.threads[from].sched_context = None;
            if self.scheduler.current == Some(from) || self.scheduler.has_chosen(from) {
                self.reschedule();
            }
        }
        self.sched_contexts[sched_context].thread = Some(to);
        self.threads[to].sched_context = Some(sched_context);
    }

    /// Lets the thread of a scheduling context wait for budget, if it would run and there is none
    /// (`schedContext_resume`).
    pub(crate) fn postpone_unless_released(&mut self, sched_context: SchedContextId) {
        if let Some(thread) = self.sched_contexts[sched_context].thread
            && self.threads[thread].is_schedulable()
            && !self.is_released(sched_context)
        {
            self.postpone(sched_context);
        }
    }

    /// Lets a thread that has no scheduling context run on one that has no thread
    /// (`schedContext_bindTCB`).
    pub(crate) fn bind_thread(&mut self, sched_context: SchedContextId, thread: ThreadId) {
        self.threads[thread].sched_context = Some(sched_context);
        self.sched_contexts[sched_context].thread = Some(thread);
        self.postpone_unless_released(sched_context);
        if self.threads[thread].is_schedulable() {
            self.enqueue_first(thread);
            self.reschedule();
        }
    }

    /// Takes a scheduling context from its thread, if it has one (`schedContext_unbindTCB`).
    pub(crate) fn unbind_thread(&mut self, sched_context: SchedContextId) {
        let Some(thread) = self.sched_contexts[sched_context].thread.take() else {
            return;
        };
        if self.scheduler.current == Some(thread) {
            self.reschedule();
        }
        self.dequeue_ready(thread);
        self.dequeue_release(thread);
        self.threads[thread].sched_context = None;
    }

    /// Lets a notification lend a scheduling context (`schedContext_bindNtfn`).
    pub(crate) fn bind_notification(
        &mut self,
        sched_context: SchedContextId,
        notification: NotificationId,
    ) {
        self.notifications[notification].sched_context = Some(sched_context);
        self.sched_contexts[sched_context].notification = Some(notification);
    }

    /// Takes a scheduling context from its notification, if it has one
    /// (`schedContext_unbindNtfn`).
    pub(crate) fn unbind_notification(&mut self, sched_context: SchedContextId) {
        if let Some(notification) = self.sched_contexts[sched_context].notification.take() {
            self.notifications[notification].sched_context = None;
        }
    }

    /// Keeps a scheduling context from going back to who has lent it, if anyone has
    /// (`schedContext_unbindReply`).
    pub(crate) fn unbind_reply(&mut self, sched_context: SchedContextId) {
        if let Some(reply) = self.sched_contexts[sched_context].reply.take() {
            self.replies[reply].above = None;
        }
    }

    /// The thread runs again: it has its answer from the scheduling context to which it yielded, if
    /// it had (`schedContext_completeYieldTo`).
    pub(crate) fn complete_yield(&mut self, machine: &mut dyn Machine, thread: ThreadId) {
        if let Some(sched_context) = self.threads[thread].yield_to {
            let consumed = self.take_consumed(sched_context);
            self.answer(machine, thread, 0, &[consumed]);
            self.cancel_yield(thread);
        }
    }

    /// The thread has not yielded after all (`schedContext_cancelYieldTo`).
    pub(crate) fn cancel_yield(&mut self, thread: ThreadId) {
        if let Some(sched_context) = self.threads[thread].yield_to.take() {
            self.sched_contexts[sched_context].yield_from = None;
        }
    }
}
