//! Notifications: signalling, waiting for signals, and bindings (seL4 manual, *Notifications*;
//! seL4's `object/notification.c`).

use crate::context::BADGE_REGISTER;
use crate::error::InvocationError;
use crate::ids::{Arena, NotificationId, SchedContextId, ThreadId};
use crate::ipc::Ipc;
use crate::sched::{Queue, Scheduler, ThreadState};

/// A notification (seL4 manual, *Notifications*).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Notification {
    /// Pending signals or waiting threads.
    pub state: NotificationState,
    /// The bound thread. This thread also receives signals while it waits at an endpoint.
    pub bound_thread: Option<ThreadId>,
    /// The scheduling context that the notification lends to a receiver that has none.
    pub sched_context: Option<SchedContextId>,
}

/// The pending signals of a notification, or the threads that wait for a signal.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash, Default)]
pub enum NotificationState {
    /// No signal is pending, and no thread waits.
    #[default]
    Idle,
    /// Threads wait for a signal. The queue is sorted by priority, and by the order of arrival
    /// within a priority.
    Waiting(Queue),
    /// Signals are pending. The badge is the bitwise OR of the badges of these signals.
    Active(u64),
}

/// All notifications.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Notifications(Arena<NotificationId, Notification>);

impl Notifications {
    pub(crate) fn new(count: usize) -> Self {
        Self(Arena::new((0..count).map(|_| Notification::default())))
    }

    #[inline(always)]
    pub(crate) fn get(&self, notification: NotificationId) -> &Notification {
        &self.0[notification]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (NotificationId, &Notification)> {
        self.0.iter()
    }

    /// Signals a notification (`sendSignal`).
    ///
    /// `ipc` changes if the signal ends a wait of the bound thread at an endpoint.
    pub(crate) fn signal(
        &mut self,
        sched: &mut Scheduler,
        ipc: &mut Ipc,
        notification: NotificationId,
        badge: u64,
    ) {
        let bound = self.0[notification].bound_thread;
        match self.0[notification].state {
            NotificationState::Idle => {
                let receives = |thread: &ThreadId| {
                    matches!(
                        sched.thread(*thread).state(),
                        ThreadState::BlockedOnReceive { .. }
                    )
                };
                match bound.filter(receives) {
                    Some(thread) => {
                        ipc.cancel(sched, self, thread);
                        self.deliver(sched, notification, thread, badge);
                    }
                    None => self.0[notification].state = NotificationState::Active(badge),
                }
            }
            NotificationState::Waiting(queue) => {
                if let Some(thread) = queue.first() {
                    self.dequeue(sched, thread, notification);
                    self.deliver(sched, notification, thread, badge);
                }
            }
            NotificationState::Active(already) => {
                self.0[notification].state = NotificationState::Active(already | badge);
            }
        }
    }

    /// Wakes a thread with a signal.
    fn deliver(
        &self,
        sched: &mut Scheduler,
        notification: NotificationId,
        thread: ThreadId,
        badge: u64,
    ) {
        sched.set_state(thread, ThreadState::Running);
        sched.thread_mut(thread).context[BADGE_REGISTER] = badge;
        self.lend_sched_context(sched, thread, notification);
        if sched.thread(thread).is_schedulable() {
            sched.possible_switch_to(thread);
        }
    }

    /// Waits for a signal, or takes the pending signals (`receiveSignal`).
    pub(crate) fn wait(
        &mut self,
        sched: &mut Scheduler,
        thread: ThreadId,
        notification: NotificationId,
        blocking: bool,
    ) {
        match self.0[notification].state {
            NotificationState::Active(_) => self.take_signal(sched, thread, notification),
            NotificationState::Idle | NotificationState::Waiting(_) if blocking => {
                sched.set_state(thread, ThreadState::BlockedOnNotification { notification });
                self.enqueue(sched, thread, notification);
                self.return_sched_context(sched, thread, notification);
            }
            NotificationState::Idle | NotificationState::Waiting(_) => {
                sched.thread_mut(thread).context[BADGE_REGISTER] = 0;
            }
        }
    }

    /// Takes the pending signals of a notification (`completeSignal`).
    pub(crate) fn take_signal(
        &mut self,
        sched: &mut Scheduler,
        thread: ThreadId,
        notification: NotificationId,
    ) {
        let state = core::mem::take(&mut self.0[notification].state);
        if let NotificationState::Active(badge) = state {
            sched.thread_mut(thread).context[BADGE_REGISTER] = badge;
            self.lend_sched_context(sched, thread, notification);
        }
    }

    /// Lends the notification's scheduling context to a thread that has none. Does nothing if
    /// another thread has that scheduling context (`maybeDonateSchedContext`).
    fn lend_sched_context(
        &self,
        sched: &mut Scheduler,
        thread: ThreadId,
        notification: NotificationId,
    ) {
        if let Some(sched_context) = self.0[notification].sched_context
            && sched.thread(thread).sched_context().is_none()
            && sched.sched_context(sched_context).thread().is_none()
        {
            sched.donate(sched_context, thread);
            sched.postpone_unless_released(sched_context);
        }
    }

    /// Takes back the notification's scheduling context from a thread that is about to wait, if the
    /// thread runs on that scheduling context (`maybeReturnSchedContext`).
    pub(crate) fn return_sched_context(
        &self,
        sched: &mut Scheduler,
        thread: ThreadId,
        notification: NotificationId,
    ) {
        if let Some(sched_context) = self.0[notification].sched_context
            && sched.thread(thread).sched_context() == Some(sched_context)
        {
            sched.take_back(sched_context, thread);
        }
    }

    fn enqueue(&mut self, sched: &mut Scheduler, thread: ThreadId, notification: NotificationId) {
        let mut queue = match self.0[notification].state {
            NotificationState::Waiting(queue) => queue,
            NotificationState::Idle | NotificationState::Active(_) => Queue::default(),
        };
        sched.wait_in(&mut queue, thread);
        self.0[notification].state = NotificationState::Waiting(queue);
    }

    /// Removes a thread from the queue of the notification that it waits for.
    pub(crate) fn dequeue(
        &mut self,
        sched: &mut Scheduler,
        thread: ThreadId,
        notification: NotificationId,
    ) {
        let state = &mut self.0[notification].state;
        if let NotificationState::Waiting(queue) = state {
            sched.stop_waiting(queue, thread);
            if queue.is_empty() {
                *state = NotificationState::Idle;
            }
        }
    }

    /// Moves a waiting thread behind all threads of its new priority in the queue (`reorderNTFN`).
    pub(crate) fn requeue(
        &mut self,
        sched: &mut Scheduler,
        thread: ThreadId,
        notification: NotificationId,
    ) {
        self.dequeue(sched, thread, notification);
        self.enqueue(sched, thread, notification);
    }

    /// Binds a notification to a thread (`bindNotification`). The notification and the thread must
    /// be unbound.
    pub(crate) fn bind_thread(
        &mut self,
        sched: &mut Scheduler,
        notification: NotificationId,
        thread: ThreadId,
    ) {
        self.0[notification].bound_thread = Some(thread);
        sched.thread_mut(thread).bound_notification = Some(notification);
    }

    /// Unbinds a notification from its thread, if any (`unbindNotification`).
    pub(crate) fn unbind_thread(&mut self, sched: &mut Scheduler, notification: NotificationId) {
        if let Some(thread) = self.0[notification].bound_thread.take() {
            sched.thread_mut(thread).bound_notification = None;
        }
    }

    /// Binds a scheduling context to a notification (`schedContext_bindNtfn`).
    ///
    /// # Errors
    ///
    /// Returns [`InvocationError::IllegalOperation`] if the notification or the scheduling context
    /// is already bound.
    pub(crate) fn bind_sched_context(
        &mut self,
        sched: &mut Scheduler,
        notification: NotificationId,
        sched_context: SchedContextId,
    ) -> Result<(), InvocationError> {
        let of_notification = &mut self.0[notification].sched_context;
        let of_sched_context = &mut sched.sched_context_mut(sched_context).notification;
        if of_notification.is_some() || of_sched_context.is_some() {
            return Err(InvocationError::IllegalOperation);
        }
        *of_notification = Some(sched_context);
        *of_sched_context = Some(notification);
        Ok(())
    }

    /// Unbinds a scheduling context from its notification, if any (`schedContext_unbindNtfn`).
    pub(crate) fn unbind_sched_context(
        &mut self,
        sched: &mut Scheduler,
        sched_context: SchedContextId,
    ) {
        let bound = &mut sched.sched_context_mut(sched_context).notification;
        if let Some(notification) = bound.take() {
            self.0[notification].sched_context = None;
        }
    }
}
