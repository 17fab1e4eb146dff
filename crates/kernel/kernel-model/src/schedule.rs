//! Who runs: the ready queue, the queue for those without budget, and the choice between them
//! (seL4 manual, *Scheduling*; seL4's `kernel/thread.c`).

use crate::clock::Ticks;
use crate::ids::{SchedContextId, ThreadId};
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::objects::{SchedulerQueue, ThreadState};
use crate::queue::Queue;

/// What the scheduler knows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Scheduler {
    /// Who runs; nobody if the machine is idle.
    pub(crate) current: Option<ThreadId>,
    /// Whose time it is. Until the end of a step this may be another than the running thread's.
    pub(crate) current_sc: Option<SchedContextId>,
    /// The time of the last entry.
    pub(crate) now: Ticks,
    /// The time since the scheduling context was last charged, up to the last entry.
    pub(crate) unbilled: Ticks,
    /// Who is to run next.
    choice: Choice,
    /// The timer must be set anew.
    pub(crate) reprogram: bool,
    /// When the timer is set to fire.
    pub(crate) deadline: Option<Ticks>,
    /// Who is in line for the processor, by priority; within one, in the order of their turns.
    pub(crate) ready: Queue,
    /// Who waits for budget, by the time at which it comes.
    pub(crate) release: Queue,
}

/// Who is to run next, as far as it is decided (seL4's `ksSchedulerAction`).
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash, Default)]
enum Choice {
    /// The current thread.
    #[default]
    Keep,
    /// This thread, unless others come first. It is in no queue.
    SwitchTo(ThreadId),
    /// The first in line.
    Anew,
}

impl Scheduler {
    /// Lets the first in line run next.
    pub(crate) fn choose_anew(&mut self) {
        self.choice = Choice::Anew;
    }

    /// Whether this thread has been chosen to run next.
    pub(crate) fn has_chosen(&self, thread: ThreadId) -> bool {
        self.choice == Choice::SwitchTo(thread)
    }

    /// Whether the choice is made, as it is between steps.
    pub(crate) fn is_settled(&self) -> bool {
        self.choice == Choice::Keep
    }
}

impl Kernel {
    /// Changes what a thread does; if it is the current one and cannot go on, another is chosen.
    pub(crate) fn set_state(&mut self, thread: ThreadId, state: ThreadState) {
        self.threads[thread].state = state;
        let scheduler = &mut self.scheduler;
        if scheduler.current == Some(thread)
            && scheduler.choice == Choice::Keep
            && !self.threads[thread].is_schedulable()
        {
            scheduler.choice = Choice::Anew;
        }
    }

    /// Puts a thread in line, in front of those of its priority.
    pub(crate) fn enqueue_first(&mut self, thread: ThreadId) {
        let priority = self.threads[thread].priority;
        self.enqueue(thread, |other| other <= priority);
    }

    /// Puts a thread in line, behind those of its priority.
    pub(crate) fn enqueue_last(&mut self, thread: ThreadId) {
        let priority = self.threads[thread].priority;
        self.enqueue(thread, |other| other < priority);
    }

    fn enqueue(&mut self, thread: ThreadId, priority_yields: impl Fn(u8) -> bool) {
        debug_assert!(self.threads[thread].is_schedulable());
        if self.threads[thread].queued.is_none() {
            self.threads[thread].queued = Some(SchedulerQueue::Ready);
            self.scheduler
                .ready
                .insert(&mut self.threads, thread, |other| {
                    priority_yields(other.priority)
                });
        }
    }

    /// Takes a thread out of the line, if it is there.
    pub(crate) fn dequeue_ready(&mut self, thread: ThreadId) {
        if self.threads[thread].is_ready() {
            self.threads[thread].queued = None;
            self.scheduler.ready.remove(&mut self.threads, thread);
        }
    }

    /// Lets a thread wait for budget no longer, if it does.
    pub(crate) fn dequeue_release(&mut self, thread: ThreadId) {
        if self.threads[thread].awaits_budget() {
            if self.scheduler.release.first() == Some(thread) {
                self.scheduler.reprogram = true;
            }
            self.threads[thread].queued = None;
            self.scheduler.release.remove(&mut self.threads, thread);
        }
    }

    /// Lets the thread of a scheduling context wait until the scheduling context may be used.
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
        self.scheduler
            .release
            .insert(&mut self.threads, thread, |other| {
                other.sched_context.is_some_and(|sc| ready_time(sc) > time)
            });
        self.scheduler.reprogram = true;
    }

    /// A thread has something to do and may be the one to run next (`possibleSwitchTo`).
    pub(crate) fn may_run(&mut self, thread: ThreadId) {
        if self.threads[thread].sched_context.is_none() || self.threads[thread].awaits_budget() {
            return;
        }
        if self.scheduler.choice == Choice::Keep {
            self.scheduler.choice = Choice::SwitchTo(thread);
        } else {
            self.reschedule();
            self.enqueue_first(thread);
        }
    }

    /// Lets the first in line run next (`rescheduleRequired`).
    pub(crate) fn reschedule(&mut self) {
        if let Choice::SwitchTo(candidate) = self.scheduler.choice
            && self.threads[candidate].is_schedulable()
        {
            self.enqueue_first(candidate);
        }
        self.scheduler.choose_anew();
    }

    /// Decides who runs, lets it go on or start over, and sets the timer.
    pub(crate) fn schedule(&mut self, machine: &mut dyn Machine) {
        self.awaken();
        if self.scheduler.choice != Choice::Keep {
            self.choose();
        }
        self.scheduler.choice = Choice::Keep;
        self.switch_sched_context();
        if self.scheduler.reprogram {
            self.scheduler.reprogram = false;
            self.scheduler.deadline = self.next_deadline();
        }
        self.activate(machine);
    }

    /// Lets everyone go on whose budget has come.
    fn awaken(&mut self) {
        while let Some(thread) = self.scheduler.release.first()
            && self.threads[thread]
                .sched_context
                .is_some_and(|sc| self.is_ready(sc))
        {
            self.dequeue_release(thread);
            self.may_run(thread);
        }
    }

    fn choose(&mut self) {
        let current = self.scheduler.current;
        let goes_on = current.filter(|current| self.threads[*current].is_schedulable());
        if let Some(current) = goes_on {
            self.enqueue_first(current);
        }
        if let Choice::SwitchTo(candidate) = self.scheduler.choice {
            let priority = self.threads[candidate].priority;
            // A candidate above the current thread is above all that are in line.
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
        match self.scheduler.ready.first() {
            Some(thread) => self.switch_to(thread),
            None => self.scheduler.current = None,
        }
    }

    /// Whether nobody in line is above this priority.
    fn is_highest(&self, priority: u8) -> bool {
        let first = self.scheduler.ready.first();
        first.is_none_or(|first| priority >= self.threads[first].priority)
    }

    pub(crate) fn switch_to(&mut self, thread: ThreadId) {
        self.dequeue_ready(thread);
        self.scheduler.current = Some(thread);
    }

    /// When the running thread's budget is used up or someone's budget comes, whichever is first.
    fn next_deadline(&self) -> Option<Ticks> {
        let head = |thread: ThreadId| {
            let sched_context = self.threads[thread].sched_context?;
            Some(self.sched_contexts[sched_context].refills.head())
        };
        let used_up = self
            .scheduler
            .current
            .and_then(head)
            .map(|head| self.scheduler.now.saturating_add(head.amount));
        let budget_comes = self.scheduler.release.first().and_then(head);
        used_up
            .into_iter()
            .chain(budget_comes.map(|head| head.time))
            .min()
    }

    /// Lets the thread that was chosen go on where it was, or start over (`activateThread`).
    fn activate(&mut self, machine: &mut dyn Machine) {
        let Some(current) = self.scheduler.current else {
            return;
        };
        self.complete_yield(machine, current);
        let thread = &mut self.threads[current];
        if thread.state == ThreadState::Restart {
            thread.context.pc = thread.context.fault_ip;
            thread.state = ThreadState::Running;
        }
    }
}
