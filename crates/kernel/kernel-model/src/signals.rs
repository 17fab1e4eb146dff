//! Signalling notifications and waiting for signals (seL4 manual, *Notifications*; seL4's
//! `object/notification.c`).

use crate::context::BADGE_REGISTER;
use crate::ids::{NotificationId, ThreadId};
use crate::kernel::Kernel;
use crate::objects::{NotificationState, ThreadState};
use crate::queue::Queue;

impl Kernel {
    /// Signals a notification (`sendSignal`).
    pub(crate) fn signal(&mut self, notification: NotificationId, badge: u64) {
        let bound = self.notifications[notification].bound_thread;
        match self.notifications[notification].state {
            NotificationState::Idle => {
                let receives = |thread: &ThreadId| {
                    matches!(
                        self.threads[*thread].state,
                        ThreadState::BlockedOnReceive { .. }
                    )
                };
                match bound.filter(receives) {
                    Some(thread) => {
                        self.cancel_ipc(thread);
                        self.deliver(notification, thread, badge);
                    }
                    None => {
                        self.notifications[notification].state = NotificationState::Active(badge);
                    }
                }
            }
            NotificationState::Waiting(queue) => {
                if let Some(thread) = queue.first() {
                    self.dequeue_from_notification(thread, notification);
                    self.deliver(notification, thread, badge);
                }
            }
            NotificationState::Active(already) => {
                self.notifications[notification].state = NotificationState::Active(already | badge);
            }
        }
    }

    /// Wakes a thread with a signal.
    fn deliver(&mut self, notification: NotificationId, thread: ThreadId, badge: u64) {
        self.set_state(thread, ThreadState::Running);
        self.threads[thread].context[BADGE_REGISTER] = badge;
        self.lend_sched_context(thread, notification);
        if self.threads[thread].is_schedulable() {
            self.may_run(thread);
        }
    }

    /// Waits for a signal, or takes one that has come (`receiveSignal`).
    pub(crate) fn wait(&mut self, thread: ThreadId, notification: NotificationId, blocking: bool) {
        match self.notifications[notification].state {
            NotificationState::Active(_) => self.take_signal(thread, notification),
            NotificationState::Idle | NotificationState::Waiting(_) if blocking => {
                self.set_state(thread, ThreadState::BlockedOnNotification { notification });
                self.enqueue_at_notification(thread, notification);
                self.return_sched_context(thread, notification);
            }
            NotificationState::Idle | NotificationState::Waiting(_) => {
                self.receive_nothing(thread);
            }
        }
    }

    /// Takes the signals that have come to a notification (`completeSignal`).
    pub(crate) fn take_signal(&mut self, thread: ThreadId, notification: NotificationId) {
        let state = core::mem::take(&mut self.notifications[notification].state);
        if let NotificationState::Active(badge) = state {
            self.threads[thread].context[BADGE_REGISTER] = badge;
            self.lend_sched_context(thread, notification);
        }
    }

    /// Lends the notification's scheduling context to a thread that has none, if nobody uses it
    /// (`maybeDonateSchedContext`).
    fn lend_sched_context(&mut self, thread: ThreadId, notification: NotificationId) {
        if let Some(sched_context) = self.notifications[notification].sched_context
            && self.threads[thread].sched_context.is_none()
            && self.sched_contexts[sched_context].thread.is_none()
        {
            self.donate(sched_context, thread);
            self.postpone_unless_released(sched_context);
        }
    }

    /// Takes back the notification's scheduling context from a thread that is about to wait
    /// (`maybeReturnSchedContext`).
    pub(crate) fn return_sched_context(&mut self, thread: ThreadId, notification: NotificationId) {
        if let Some(sched_context) = self.notifications[notification].sched_context
            && self.threads[thread].sched_context == Some(sched_context)
        {
            self.threads[thread].sched_context = None;
            self.sched_contexts[sched_context].thread = None;
            if self.scheduler.current == Some(thread) {
                self.reschedule();
            }
        }
    }

    fn enqueue_at_notification(&mut self, thread: ThreadId, notification: NotificationId) {
        let mut queue = match self.notifications[notification].state {
            NotificationState::Waiting(queue) => queue,
            NotificationState::Idle | NotificationState::Active(_) => Queue::default(),
        };
        let priority = self.threads[thread].priority;
        queue.insert(&mut self.threads, thread, |other| other.priority < priority);
        self.notifications[notification].state = NotificationState::Waiting(queue);
    }

    pub(crate) fn dequeue_from_notification(
        &mut self,
        thread: ThreadId,
        notification: NotificationId,
    ) {
        let state = &mut self.notifications[notification].state;
        if let NotificationState::Waiting(queue) = state {
            queue.remove(&mut self.threads, thread);
            if queue.is_empty() {
                *state = NotificationState::Idle;
            }
        }
    }

    /// Gives a thread the place in a notification's queue that its priority asks for, behind others
    /// of the same (`reorderNTFN`).
    pub(crate) fn requeue_at_notification(
        &mut self,
        thread: ThreadId,
        notification: NotificationId,
    ) {
        self.dequeue_from_notification(thread, notification);
        self.enqueue_at_notification(thread, notification);
    }
}
