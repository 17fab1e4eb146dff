//! What holds between any two steps, and a check that it does.
//!
//! Tests call [`Kernel::check`] after every step; it costs more than a step does. The kernel itself
//! relies on all of this and checks none of it.

use crate::clock::Ticks;
use crate::ids::{NotificationId, ReplyId, SchedContextId, ThreadId};
use crate::kernel::Kernel;
use crate::objects::{Above, Endpoint, NotificationState, SchedulerQueue, ThreadState};
use crate::queue::Queue;

/// Something that must hold and does not.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum Broken {
    /// Who runs next has been left undecided, or the timer unset.
    Undecided,
    /// The running thread cannot run, is in a queue, or is not charged for what it uses.
    Running(Option<ThreadId>),
    /// A thread is in line in front of the running one, or while none runs.
    NotHighest(ThreadId),
    /// A thread that could run is neither running nor in line.
    Forgotten(ThreadId),
    /// A thread is in line that cannot run, or waits for budget that it has.
    Queued(ThreadId),
    /// The links of a queue do not lead there and back, or its order is not what it is sorted by.
    Links(Queue),
    /// A thread is in more queues than one, or not in the one that its state says.
    Membership(ThreadId),
    /// A reply object and a thread do not name each other, or two reply objects in a stack do not.
    Reply(ReplyId),
    /// A scheduling context is in two places, or whoever has it does not know.
    SchedContext(SchedContextId),
    /// The refills of a scheduling context are not its budget, or not in order, or the first is too
    /// little to enter the kernel with.
    Budget(SchedContextId),
    /// A notification and a thread do not name each other.
    Bound(NotificationId),
    /// A thread has a fault but does not wait to have it handled.
    Fault(ThreadId),
}

type Check = Result<(), Broken>;

fn ensure(holds: bool, broken: Broken) -> Check {
    if holds { Ok(()) } else { Err(broken) }
}

/// More threads than there can be.
const MAX_THREADS: usize = microkit_abi::limits::MAX_PROTECTION_DOMAINS + 1;

impl Kernel {
    /// Checks everything that holds between two steps, once the kernel is started.
    ///
    /// **Errors:** the first thing that does not.
    pub fn check(&self) -> Result<(), Broken> {
        self.check_running()?;
        self.check_queues()?;
        self.check_membership()?;
        self.check_replies()?;
        self.check_sched_contexts()?;
        self.check_bindings()
    }

    /// At most one thread runs, and it is the first of those that can.
    fn check_running(&self) -> Check {
        let scheduler = &self.scheduler;
        ensure(
            scheduler.is_settled() && !scheduler.reprogram,
            Broken::Undecided,
        )?;
        let current = scheduler.current;
        let running = match current {
            None => scheduler.current_sc.is_none(),
            Some(current) => {
                let thread = &self.threads[current];
                let billed = scheduler.current_sc.filter(|sc| {
                    let refills = &self.sched_contexts[*sc].refills;
                    refills.is_ready(scheduler.now)
                        && refills.is_sufficient(scheduler.unbilled, self.clock())
                });
                current != self.monitor_thread()
                    && thread.state == ThreadState::Running
                    && thread.queued.is_none()
                    && billed.is_some()
                    && thread.sched_context == billed
            }
        };
        ensure(running, Broken::Running(current))?;
        let priority = current.map(|current| self.threads[current].priority);
        for (id, thread) in self.threads.iter() {
            let outranks = priority.is_none_or(|priority| thread.priority > priority);
            ensure(!(thread.is_ready() && outranks), Broken::NotHighest(id))?;
            let chosen = current == Some(id) || thread.is_ready();
            ensure(!thread.is_schedulable() || chosen, Broken::Forgotten(id))?;
        }
        Ok(())
    }

    /// Links are consistent, queues are sorted, and who is in line belongs there.
    fn check_queues(&self) -> Check {
        let sorted = |queue: Queue, first: &dyn Fn(ThreadId, ThreadId) -> bool| {
            let order = queue
                .iter(&self.threads)
                .zip(queue.iter(&self.threads).skip(1));
            ensure(
                queue.is_consistent(&self.threads)
                    && order.into_iter().all(|(one, next)| first(one, next)),
                Broken::Links(queue),
            )
        };
        let by_priority = |one: ThreadId, next: ThreadId| {
            self.threads[one].priority >= self.threads[next].priority
        };
        let ready_time = |thread: ThreadId| {
            let sched_context = self.threads[thread].sched_context;
            sched_context.map(|sc| self.sched_contexts[sc].refills.head().time)
        };
        sorted(self.scheduler.ready, &by_priority)?;
        sorted(self.scheduler.release, &|one, next| {
            ready_time(one) <= ready_time(next)
        })?;
        for (_, endpoint) in self.endpoints.iter() {
            sorted(endpoint.queue(), &by_priority)?;
        }
        for (_, notification) in self.notifications.iter() {
            if let NotificationState::Waiting(queue) = notification.state {
                sorted(queue, &by_priority)?;
            }
        }
        for (id, thread) in self.threads.iter() {
            let released = thread.sched_context.is_some_and(|sc| self.is_released(sc));
            let belongs = match thread.queued {
                None => true,
                Some(SchedulerQueue::Ready) => thread.is_schedulable() && released,
                Some(SchedulerQueue::Release) => {
                    thread.is_runnable() && thread.sched_context.is_some() && !released
                }
            };
            ensure(belongs, Broken::Queued(id))?;
        }
        Ok(())
    }

    /// A thread is in the one queue that its state says, and in no other.
    fn check_membership(&self) -> Check {
        let mut queues = [0_u8; MAX_THREADS];
        let mut enter = |queue: Queue, belongs: &dyn Fn(ThreadId) -> bool| {
            for thread in queue.iter(&self.threads) {
                queues[thread.index()] += 1;
                ensure(belongs(thread), Broken::Membership(thread))?;
            }
            Ok(())
        };
        let in_line = |queue| move |thread: ThreadId| self.threads[thread].queued == Some(queue);
        enter(self.scheduler.ready, &in_line(SchedulerQueue::Ready))?;
        enter(self.scheduler.release, &in_line(SchedulerQueue::Release))?;
        for (id, endpoint) in self.endpoints.iter() {
            enter(
                endpoint.queue(),
                &|thread| match (endpoint, self.threads[thread].state) {
                    (Endpoint::Sending(_), ThreadState::BlockedOnSend { endpoint, .. })
                    | (Endpoint::Receiving(_), ThreadState::BlockedOnReceive { endpoint, .. }) => {
                        endpoint == id
                    }
                    _ => false,
                },
            )?;
        }
        for (id, notification) in self.notifications.iter() {
            if let NotificationState::Waiting(queue) = notification.state {
                let waits = ThreadState::BlockedOnNotification { notification: id };
                enter(queue, &|thread| self.threads[thread].state == waits)?;
            }
        }
        for (id, thread) in self.threads.iter() {
            let waits_in_line =
                thread.is_blocked() && !matches!(thread.state, ThreadState::BlockedOnReply { .. });
            let expected = u8::from(waits_in_line) + u8::from(thread.queued.is_some());
            ensure(
                queues[id.index()] == expected
                    && expected <= 1
                    && (expected == 1 || thread.link.is_loose()),
                Broken::Membership(id),
            )?;
        }
        Ok(())
    }

    /// A reply object and the thread that it holds name each other, and so do the neighbours in a
    /// stack.
    fn check_replies(&self) -> Check {
        let named_by = |thread: ThreadId| match self.threads[thread].state {
            ThreadState::BlockedOnReply { reply } => Some(reply),
            ThreadState::BlockedOnReceive { reply, .. } => reply,
            _ => None,
        };
        for (id, _) in self.threads.iter() {
            if let Some(reply) = named_by(id) {
                let names_it = self.replies[reply].thread == Some(id);
                ensure(names_it, Broken::Reply(reply))?;
            }
        }
        for (id, reply) in self.replies.iter() {
            let names = reply.thread.is_none_or(|held| named_by(held) == Some(id));
            let holds_a_caller = reply.thread.is_some_and(|held| {
                matches!(self.threads[held].state, ThreadState::BlockedOnReply { .. })
            });
            let in_stack = reply.below.is_some() || reply.above.is_some();
            let below = reply
                .below
                .is_none_or(|below| self.replies[below].above == Some(Above::Reply(id)));
            let above = match reply.above {
                None => true,
                Some(Above::Reply(above)) => self.replies[above].below == Some(id),
                Some(Above::SchedContext(lent)) => self.sched_contexts[lent].reply == Some(id),
            };
            ensure(
                names && below && above && (holds_a_caller || !in_stack),
                Broken::Reply(id),
            )?;
        }
        Ok(())
    }

    /// A scheduling context is where it says, nowhere else, and all there.
    fn check_sched_contexts(&self) -> Check {
        for (id, thread) in self.threads.iter() {
            if let Some(sc) = thread.sched_context {
                let knows = self.sched_contexts[sc].thread == Some(id);
                ensure(knows, Broken::SchedContext(sc))?;
            }
            if let Some(sc) = thread.yield_to {
                let knows = self.sched_contexts[sc].yield_from == Some(id);
                ensure(knows, Broken::SchedContext(sc))?;
            }
        }
        for (id, notification) in self.notifications.iter() {
            if let Some(sc) = notification.sched_context {
                let knows = self.sched_contexts[sc].notification == Some(id);
                ensure(knows, Broken::SchedContext(sc))?;
            }
        }
        for (id, sc) in self.sched_contexts.iter() {
            let known = sc
                .thread
                .is_none_or(|thread| self.threads[thread].sched_context == Some(id))
                && sc
                    .yield_from
                    .is_none_or(|thread| self.threads[thread].yield_to == Some(id))
                && sc.notification.is_none_or(|notification| {
                    self.notifications[notification].sched_context == Some(id)
                })
                && sc
                    .reply
                    .is_none_or(|reply| self.replies[reply].above == Some(Above::SchedContext(id)));
            ensure(known, Broken::SchedContext(id))?;
            let whole = sc.refills.total() == self.budget(id)
                && sc.refills.is_ordered()
                && sc.refills.is_sufficient(0, self.clock());
            ensure(whole, Broken::Budget(id))?;
        }
        Ok(())
    }

    /// The budget that a scheduling context was made with.
    fn budget(&self, sched_context: SchedContextId) -> Ticks {
        let domain = self.spec().domains.get(sched_context.index());
        let us = domain.map_or(microkit_abi::limits::DEFAULT_BUDGET_US, |pd| pd.budget_us);
        self.clock().ticks(us)
    }

    /// A notification and the thread that it wakes name each other; who has a fault waits.
    fn check_bindings(&self) -> Check {
        for (id, notification) in self.notifications.iter() {
            let knows = notification
                .bound_thread
                .is_none_or(|thread| self.threads[thread].bound_notification == Some(id));
            ensure(knows, Broken::Bound(id))?;
        }
        for (id, thread) in self.threads.iter() {
            if let Some(notification) = thread.bound_notification {
                let knows = self.notifications[notification].bound_thread == Some(id);
                ensure(knows, Broken::Bound(notification))?;
            }
            let waits = matches!(
                thread.state,
                ThreadState::BlockedOnSend { .. }
                    | ThreadState::BlockedOnReply { .. }
                    // Whoever was told cannot reply.
                    | ThreadState::Inactive
            );
            ensure(thread.fault.is_none() || waits, Broken::Fault(id))?;
        }
        Ok(())
    }
}

const _: () = assert!(MAX_THREADS <= 1 << u8::BITS);
