//! The invariants of the kernel between two steps, and their checks.
//!
//! Tests call [`Kernel::check`] after every step. A check takes longer than a step. The kernel
//! relies on these invariants and does not check them itself.

use super::Kernel;
use crate::clock::Ticks;
use crate::ids::{NotificationId, ReplyId, SchedContextId, ThreadId};
use crate::ipc::{Above, Endpoint};
use crate::notification::NotificationState;
use crate::sched::{Queue, SchedulerQueue, ThreadState};

/// A violated invariant.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum Broken {
    /// The next thread is not chosen, or the timer is not set.
    Undecided,
    /// The running thread cannot run, is in a queue, or is not charged for the time that it uses.
    Running(Option<ThreadId>),
    /// A ready thread has a higher priority than the running thread, or is ready although no thread
    /// runs.
    NotHighest(ThreadId),
    /// A schedulable thread is neither running nor in the ready queue.
    Forgotten(ThreadId),
    /// A thread is in the ready queue but cannot run, or in the release queue but has budget.
    Queued(ThreadId),
    /// The forward and backward links of a queue do not agree, or the queue is not sorted.
    Links(Queue),
    /// A thread is in more than one queue, or not in the queue that its state requires.
    Membership(ThreadId),
    /// A reference between a reply object and a thread, or within a stack of reply objects, is not
    /// symmetric.
    Reply(ReplyId),
    /// A reference of a scheduling context is not symmetric.
    SchedContext(SchedContextId),
    /// The refills of a scheduling context do not add up to its budget or are not in order, or the
    /// first refill is below the minimum budget.
    Budget(SchedContextId),
    /// A reference between a notification and a thread is not symmetric.
    Bound(NotificationId),
    /// A thread has a fault but does not wait for its fault handler.
    Fault(ThreadId),
}

type Check = Result<(), Broken>;

fn ensure(holds: bool, broken: Broken) -> Check {
    if holds { Ok(()) } else { Err(broken) }
}

/// The maximum number of threads: the threads of the PDs, and the monitor's.
const MAX_THREADS: usize = microkit_abi::limits::MAX_PROTECTION_DOMAINS + 1;

impl Kernel {
    /// Checks the invariants that hold between two steps of a started kernel.
    ///
    /// # Errors
    ///
    /// Returns the first invariant that does not hold.
    pub fn check(&self) -> Result<(), Broken> {
        self.check_running()?;
        self.check_queues()?;
        self.check_membership()?;
        self.check_replies()?;
        self.check_sched_contexts()?;
        self.check_bindings()
    }

    /// Checks that at most one thread runs, and that no schedulable thread has a higher priority.
    fn check_running(&self) -> Check {
        let sched = &self.sched;
        ensure(sched.is_settled(), Broken::Undecided)?;
        let current = sched.current();
        let running = match current {
            None => sched.current_sc().is_none(),
            Some(current) => {
                let thread = sched.thread(current);
                let billed = sched.current_sc().filter(|sc| {
                    let refills = sched.sched_context(*sc).refills();
                    refills.is_ready(sched.now())
                        && refills.is_sufficient(sched.unbilled(), self.clock())
                });
                current != self.system.monitor_thread()
                    && thread.state() == ThreadState::Running
                    && thread.queued().is_none()
                    && billed.is_some()
                    && thread.sched_context() == billed
            }
        };
        ensure(running, Broken::Running(current))?;
        let priority = current.map(|current| sched.thread(current).priority());
        for (id, thread) in self.sched.threads().iter() {
            let outranks = priority.is_none_or(|priority| thread.priority() > priority);
            ensure(!(thread.is_ready() && outranks), Broken::NotHighest(id))?;
            let chosen = current == Some(id) || thread.is_ready();
            ensure(!thread.is_schedulable() || chosen, Broken::Forgotten(id))?;
        }
        Ok(())
    }

    /// Checks that links are consistent, queues are sorted, and the threads in the scheduler's
    /// queues belong there.
    fn check_queues(&self) -> Check {
        let sorted = |queue: Queue, first: &dyn Fn(ThreadId, ThreadId) -> bool| {
            let threads = self.sched.threads();
            let order = queue.iter(threads).zip(queue.iter(threads).skip(1));
            ensure(
                queue.is_consistent(threads)
                    && order.into_iter().all(|(one, next)| first(one, next)),
                Broken::Links(queue),
            )
        };
        let by_priority = |one: ThreadId, next: ThreadId| {
            self.thread(one).priority() >= self.thread(next).priority()
        };
        let ready_time = |thread: ThreadId| {
            let sched_context = self.thread(thread).sched_context();
            sched_context.map(|sc| self.sched_context(sc).refills().head().time)
        };
        sorted(self.sched.ready(), &by_priority)?;
        sorted(self.sched.release(), &|one, next| {
            ready_time(one) <= ready_time(next)
        })?;
        for (_, endpoint) in self.ipc.endpoints().iter() {
            sorted(endpoint.queue(), &by_priority)?;
        }
        for (_, notification) in self.notifications.iter() {
            if let NotificationState::Waiting(queue) = notification.state {
                sorted(queue, &by_priority)?;
            }
        }
        for (id, thread) in self.sched.threads().iter() {
            let released = thread
                .sched_context()
                .is_some_and(|sc| self.sched.is_released(sc));
            let belongs = match thread.queued() {
                None => true,
                Some(SchedulerQueue::Ready) => thread.is_schedulable() && released,
                Some(SchedulerQueue::Release) => {
                    thread.is_runnable() && thread.sched_context().is_some() && !released
                }
            };
            ensure(belongs, Broken::Queued(id))?;
        }
        Ok(())
    }

    /// Checks that each thread is only in the queue that its state requires.
    fn check_membership(&self) -> Check {
        let mut queues = [0_u8; MAX_THREADS];
        let mut enter = |queue: Queue, belongs: &dyn Fn(ThreadId) -> bool| {
            for thread in queue.iter(self.sched.threads()) {
                queues[thread.index()] += 1;
                ensure(belongs(thread), Broken::Membership(thread))?;
            }
            Ok(())
        };
        let is_in = |queue| move |thread: ThreadId| self.thread(thread).queued() == Some(queue);
        enter(self.sched.ready(), &is_in(SchedulerQueue::Ready))?;
        enter(self.sched.release(), &is_in(SchedulerQueue::Release))?;
        for (id, endpoint) in self.ipc.endpoints().iter() {
            enter(
                endpoint.queue(),
                &|thread| match (endpoint, self.thread(thread).state()) {
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
                enter(queue, &|thread| self.thread(thread).state() == waits)?;
            }
        }
        for (id, thread) in self.sched.threads().iter() {
            let waits_in_queue = thread.is_blocked()
                && !matches!(thread.state(), ThreadState::BlockedOnReply { .. });
            let expected = u8::from(waits_in_queue) + u8::from(thread.queued().is_some());
            ensure(
                queues[id.index()] == expected
                    && expected <= 1
                    && (expected == 1 || thread.is_unlinked()),
                Broken::Membership(id),
            )?;
        }
        Ok(())
    }

    /// Checks that references between a reply object and its thread, and within a stack of reply
    /// objects, are symmetric.
    fn check_replies(&self) -> Check {
        let named_by = |thread: ThreadId| match self.thread(thread).state() {
            ThreadState::BlockedOnReply { reply } => Some(reply),
            ThreadState::BlockedOnReceive { reply, .. } => reply,
            _ => None,
        };
        for (id, _) in self.sched.threads().iter() {
            if let Some(reply) = named_by(id) {
                let names_it = self.reply(reply).thread == Some(id);
                ensure(names_it, Broken::Reply(reply))?;
            }
        }
        for (id, reply) in self.ipc.replies().iter() {
            let names = reply.thread.is_none_or(|held| named_by(held) == Some(id));
            let holds_a_caller = reply.thread.is_some_and(|held| {
                matches!(
                    self.thread(held).state(),
                    ThreadState::BlockedOnReply { .. }
                )
            });
            let in_stack = reply.below.is_some() || reply.above.is_some();
            let below = reply
                .below
                .is_none_or(|below| self.reply(below).above == Some(Above::Reply(id)));
            let above = match reply.above {
                None => true,
                Some(Above::Reply(above)) => self.reply(above).below == Some(id),
                Some(Above::SchedContext(lent)) => self.sched_context(lent).reply == Some(id),
            };
            ensure(
                names && below && above && (holds_a_caller || !in_stack),
                Broken::Reply(id),
            )?;
        }
        Ok(())
    }

    /// Checks that references of scheduling contexts are symmetric, and that no budget is lost or
    /// created.
    fn check_sched_contexts(&self) -> Check {
        for (id, thread) in self.sched.threads().iter() {
            if let Some(sc) = thread.sched_context() {
                let knows = self.sched_context(sc).thread() == Some(id);
                ensure(knows, Broken::SchedContext(sc))?;
            }
            if let Some(sc) = thread.yield_to() {
                let knows = self.sched_context(sc).yield_from() == Some(id);
                ensure(knows, Broken::SchedContext(sc))?;
            }
        }
        for (id, notification) in self.notifications.iter() {
            if let Some(sc) = notification.sched_context {
                let knows = self.sched_context(sc).notification == Some(id);
                ensure(knows, Broken::SchedContext(sc))?;
            }
        }
        for (id, sc) in self.sched.sched_contexts().iter() {
            let known = sc
                .thread()
                .is_none_or(|thread| self.thread(thread).sched_context() == Some(id))
                && sc
                    .yield_from()
                    .is_none_or(|thread| self.thread(thread).yield_to() == Some(id))
                && sc.notification.is_none_or(|notification| {
                    self.notification(notification).sched_context == Some(id)
                })
                && sc
                    .reply
                    .is_none_or(|reply| self.reply(reply).above == Some(Above::SchedContext(id)));
            ensure(known, Broken::SchedContext(id))?;
            let refills = sc.refills();
            let whole = refills.total() == self.budget(id)
                && refills.is_ordered()
                && refills.is_sufficient(0, self.clock());
            ensure(whole, Broken::Budget(id))?;
        }
        Ok(())
    }

    /// Returns the budget of a scheduling context at boot.
    fn budget(&self, sched_context: SchedContextId) -> Ticks {
        let pd = self.spec().pds.get(sched_context.index());
        let us = pd.map_or(microkit_abi::limits::DEFAULT_BUDGET_US, |pd| pd.budget_us);
        self.clock().ticks(us)
    }

    /// Checks that references between notifications and threads are symmetric, and that a thread
    /// with a fault waits.
    fn check_bindings(&self) -> Check {
        for (id, notification) in self.notifications.iter() {
            let knows = notification
                .bound_thread
                .is_none_or(|thread| self.thread(thread).bound_notification == Some(id));
            ensure(knows, Broken::Bound(id))?;
        }
        for (id, thread) in self.sched.threads().iter() {
            if let Some(notification) = thread.bound_notification {
                let knows = self.notification(notification).bound_thread == Some(id);
                ensure(knows, Broken::Bound(notification))?;
            }
            let waits = matches!(
                thread.state(),
                ThreadState::BlockedOnSend { .. }
                    | ThreadState::BlockedOnReply { .. }
                    // The handler has received the fault, but cannot reply.
                    | ThreadState::Inactive
            );
            ensure(thread.fault.is_none() || waits, Broken::Fault(id))?;
        }
        Ok(())
    }
}

const _: () = assert!(MAX_THREADS <= 1 << u8::BITS);
