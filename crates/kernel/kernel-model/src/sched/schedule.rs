//! The ready queue, the release queue, and the choice of the thread that runs next (seL4 manual,
//! *Scheduling*; seL4's `kernel/thread.c`).

use super::{Queue, Scheduler, SchedulerQueue, ThreadState};
use crate::clock::Ticks;
use crate::ids::{SchedContextId, ThreadId};

/// The decision within a step about the next thread (seL4's `ksSchedulerAction`).
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash, Default)]
pub(super) enum Choice {
    /// The current thread continues.
    #[default]
    Keep,
    /// This thread runs next, unless a thread of higher priority is ready. The thread is in no
    /// queue.
    SwitchTo(ThreadId),
    /// The first thread of the ready queue runs next.
    Anew,
}

impl Scheduler {
    /// Sets the state of a thread. If the current thread can no longer run, requests a new choice.
    pub(crate) fn set_state(&mut self, thread: ThreadId, state: ThreadState) {
        self.threads[thread].state = state;
        if self.current == Some(thread)
            && self.choice == Choice::Keep
            && !self.threads[thread].is_schedulable()
        {
            self.choice = Choice::Anew;
        }
    }

    /// Sets the priority of a thread, and moves the thread within the ready queue (`setPriority`).
    ///
    /// If the thread waits at an endpoint or a notification, the caller must also
    /// [requeue](Self::wait_in) the thread there.
    pub(crate) fn set_priority(&mut self, thread: ThreadId, priority: u8) {
        let competes = self.threads[thread].is_runnable()
            && (self.threads[thread].is_ready() || self.current == Some(thread));
        if competes {
            self.dequeue_ready(thread);
        }
        self.threads[thread].priority = priority;
        if competes {
            self.enqueue_first(thread);
            self.reschedule();
        }
    }

    /// Adds a thread to the queue of an endpoint or a notification, behind the threads of its
    /// priority.
    pub(crate) fn wait_in(&mut self, queue: &mut Queue, thread: ThreadId) {
        let priority = self.threads[thread].priority;
        queue.insert(&mut self.threads, thread, |other| other.priority < priority);
    }

    /// Removes a thread from the queue of an endpoint or a notification.
    pub(crate) fn stop_waiting(&mut self, queue: &mut Queue, thread: ThreadId) {
        queue.remove(&mut self.threads, thread);
    }

    /// Adds a thread to the ready queue, in front of the threads of its priority.
    pub(super) fn enqueue_first(&mut self, thread: ThreadId) {
        let priority = self.threads[thread].priority;
        self.enqueue(thread, |other| other <= priority);
    }

    /// Adds a thread to the ready queue, behind the threads of its priority.
    pub(super) fn enqueue_last(&mut self, thread: ThreadId) {
        let priority = self.threads[thread].priority;
        self.enqueue(thread, |other| other < priority);
    }

    fn enqueue(&mut self, thread: ThreadId, priority_yields: impl Fn(u8) -> bool) {
        debug_assert!(self.threads[thread].is_schedulable());
        if self.threads[thread].queued.is_none() {
            self.threads[thread].queued = Some(SchedulerQueue::Ready);
            self.ready.insert(&mut self.threads, thread, |other| {
                priority_yields(other.priority)
            });
        }
    }

    /// Removes a thread from the ready queue or the release queue, if the thread is in one of them.
    pub(crate) fn dequeue(&mut self, thread: ThreadId) {
        self.dequeue_ready(thread);
        self.dequeue_release(thread);
    }

    pub(super) fn dequeue_ready(&mut self, thread: ThreadId) {
        if self.threads[thread].is_ready() {
            self.threads[thread].queued = None;
            self.ready.remove(&mut self.threads, thread);
        }
    }

    fn dequeue_release(&mut self, thread: ThreadId) {
        if self.threads[thread].is_in_release_queue() {
            if self.release.first() == Some(thread) {
                self.reprogram = true;
            }
            self.threads[thread].queued = None;
            self.release.remove(&mut self.threads, thread);
        }
    }

    /// Moves the thread of a scheduling context to the release queue, until its next refill.
    pub(crate) fn postpone(&mut self, sched_context: SchedContextId) {
        let Some(thread) = self.sched_contexts[sched_context].thread else {
            return;
        };
        self.dequeue_ready(thread);
        debug_assert!(self.threads[thread].queued.is_none());
        let sched_contexts = &self.sched_contexts;
        let ready_time = |sc: SchedContextId| sched_contexts[sc].refills.head().time;
        let time = ready_time(sched_context);
        self.threads[thread].queued = Some(SchedulerQueue::Release);
        self.release.insert(&mut self.threads, thread, |other| {
            other.sched_context.is_some_and(|sc| ready_time(sc) > time)
        });
        self.reprogram = true;
    }

    /// Moves the thread of a scheduling context to the release queue, if the thread is schedulable
    /// but the scheduling context has too little usable budget (`schedContext_resume`).
    pub(crate) fn postpone_unless_released(&mut self, sched_context: SchedContextId) {
        if let Some(thread) = self.sched_contexts[sched_context].thread
            && self.threads[thread].is_schedulable()
            && !self.is_released(sched_context)
        {
            self.postpone(sched_context);
        }
    }

    /// Considers a newly runnable thread as the next thread to run (`possibleSwitchTo`).
    pub(crate) fn possible_switch_to(&mut self, thread: ThreadId) {
        if self.threads[thread].sched_context.is_none()
            || self.threads[thread].is_in_release_queue()
        {
            return;
        }
        if self.choice == Choice::Keep {
            self.choice = Choice::SwitchTo(thread);
        } else {
            self.reschedule();
            self.enqueue_first(thread);
        }
    }

    /// Makes the first thread of the ready queue run next (`rescheduleRequired`).
    pub(crate) fn reschedule(&mut self) {
        if let Choice::SwitchTo(candidate) = self.choice
            && self.threads[candidate].is_schedulable()
        {
            self.enqueue_first(candidate);
        }
        self.choice = Choice::Anew;
    }

    /// Reschedules if the thread is the current thread.
    pub(crate) fn reschedule_if_current(&mut self, thread: ThreadId) {
        if self.current == Some(thread) {
            self.reschedule();
        }
    }

    /// Returns whether this thread is chosen to run next.
    pub(super) fn has_chosen(&self, thread: ThreadId) -> bool {
        self.choice == Choice::SwitchTo(thread)
    }

    /// Chooses the next thread to run. Then charges the elapsed time and sets the timer.
    pub(crate) fn schedule(&mut self) {
        self.awaken();
        if self.choice != Choice::Keep {
            self.choose();
        }
        self.choice = Choice::Keep;
        self.switch_sched_context();
        if self.reprogram {
            self.reprogram = false;
            self.deadline = self.next_deadline();
        }
    }

    /// Wakes every thread whose refill is ready.
    fn awaken(&mut self) {
        while let Some(thread) = self.release.first()
            && self.threads[thread]
                .sched_context
                .is_some_and(|sc| self.is_ready(sc))
        {
            self.dequeue_release(thread);
            self.possible_switch_to(thread);
        }
    }

    fn choose(&mut self) {
        let current = self.current;
        let goes_on = current.filter(|current| self.threads[*current].is_schedulable());
        if let Some(current) = goes_on {
            self.enqueue_first(current);
        }
        if let Choice::SwitchTo(candidate) = self.choice {
            let priority = self.threads[candidate].priority;
            // A candidate with a higher priority than the current thread is also above all ready
            // threads.
            let may_be_below_others =
                current.is_none_or(|current| priority < self.threads[current].priority);
            if may_be_below_others && !self.is_highest(priority) {
                self.enqueue_first(candidate);
            } else if goes_on.is_some_and(|current| self.threads[current].priority == priority) {
                self.enqueue_last(candidate);
            } else {
                self.switch_to(candidate);
                return;
            }
        }
        match self.ready.first() {
            Some(thread) => self.switch_to(thread),
            None => self.current = None,
        }
    }

    /// Returns whether no ready thread has a priority above `priority`.
    fn is_highest(&self, priority: u8) -> bool {
        let first = self.ready.first();
        first.is_none_or(|first| priority >= self.threads[first].priority)
    }

    fn switch_to(&mut self, thread: ThreadId) {
        self.dequeue_ready(thread);
        self.current = Some(thread);
    }

    /// Switches to a ready thread of any priority. The current thread becomes ready.
    pub(crate) fn force_switch_to(&mut self, thread: ThreadId) {
        if let Some(current) = self.current {
            self.enqueue_first(current);
        }
        self.switch_to(thread);
    }

    /// Returns the end of the current thread's budget or the time of the next refill, whichever is
    /// first.
    fn next_deadline(&self) -> Option<Ticks> {
        let head = |thread: ThreadId| {
            let sched_context = self.threads[thread].sched_context?;
            Some(self.sched_contexts[sched_context].refills.head())
        };
        let used_up = self
            .current
            .and_then(head)
            .map(|head| self.now.saturating_add(head.amount));
        let refilled = self.release.first().and_then(head);
        used_up
            .into_iter()
            .chain(refilled.map(|head| head.time))
            .min()
    }

    /// Makes the current thread continue, or run its last instruction again (`activateThread`).
    pub(crate) fn activate(&mut self) {
        let Some(current) = self.current else {
            return;
        };
        let thread = &mut self.threads[current];
        if thread.state == ThreadState::Restart {
            thread.context.pc = thread.context.fault_ip;
            thread.state = ThreadState::Running;
        }
    }
}
