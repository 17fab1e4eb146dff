//! What running costs: how time is measured, charged to scheduling contexts, and denied when it is
//! used up (seL4 manual, *Scheduling Contexts*; seL4's `kernel/thread.c` and `.h`).
//!
//! Time is read once on every entry. What has passed since the last is not charged at once, but
//! when something depends on it: when the thread's time slice ends, another scheduling context
//! takes over, or the timer is set.

use crate::clock::Ticks;
use crate::fault::Fault;
use crate::ids::{SchedContextId, ThreadId};
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::objects::ThreadState;

impl Kernel {
    /// Takes the time on entry by an event that the running thread caused. Returns whether it has
    /// the budget to go through with it; if not, it will do it again when it has
    /// (`MCS_DO_IF_BUDGET`).
    pub(crate) fn enter(&mut self, machine: &mut dyn Machine) -> bool {
        self.read_time(machine);
        let has_budget = self.check_budget(machine);
        if !has_budget
            && let Some(current) = self.scheduler.current
            && self.threads[current].is_runnable()
        {
            self.set_state(current, ThreadState::Restart);
        }
        has_budget
    }

    /// Takes the time on entry by an interrupt, which is handled in any case.
    pub(crate) fn enter_interrupt(&mut self, machine: &mut dyn Machine) {
        self.read_time(machine);
        self.check_budget(machine);
    }

    fn read_time(&mut self, machine: &mut dyn Machine) {
        let now = machine.now().max(self.scheduler.now);
        let passed = now - self.scheduler.now;
        self.scheduler.now = now;
        self.scheduler.unbilled = self.scheduler.unbilled.saturating_add(passed);
    }

    /// Whether the budget lasts for what has passed and the time that an entry may take. If not,
    /// the time slice ends.
    fn check_budget(&mut self, machine: &mut dyn Machine) -> bool {
        let unbilled = self.scheduler.unbilled;
        let Some(current) = self.scheduler.current_sc else {
            // Nobody is charged for idle time.
            self.scheduler.unbilled = 0;
            return true;
        };
        let clock = self.clock();
        if self.sched_contexts[current]
            .refills
            .is_sufficient(unbilled, clock)
        {
            return true;
        }
        self.end_time_slice(machine, unbilled, true);
        false
    }

    /// Charges `usage` and ends the time slice of the current thread (`chargeBudget`).
    fn end_time_slice(&mut self, machine: &mut dyn Machine, usage: Ticks, may_time_out: bool) {
        self.scheduler.unbilled = 0;
        let clock = self.clock();
        let Some(sched_context) = self.scheduler.current_sc else {
            return;
        };
        let charged = &mut self.sched_contexts[sched_context];
        charged.refills.exhaust(usage, clock);
        charged.consumed = charged.consumed.saturating_add(usage);
        let Some(current) = self.scheduler.current else {
            return;
        };
        if !self.threads[current].is_schedulable() {
            return;
        }
        let round_robin = self.sched_contexts[sched_context].refills.is_round_robin();
        if may_time_out && !round_robin && self.threads[current].timeout_handler.is_some() {
            self.raise_timeout(machine, current, sched_context);
        } else if self.is_released(sched_context) {
            self.enqueue_last(current);
        } else {
            self.postpone(sched_context);
        }
        self.reschedule();
        self.scheduler.reprogram = true;
    }

    /// Gives up the rest of the time slice (seL4 manual, *seL4_Yield*).
    pub(crate) fn yield_now(&mut self, machine: &mut dyn Machine) {
        let Some(current) = self.scheduler.current_sc else {
            return;
        };
        let sched_context = &self.sched_contexts[current];
        let rest = sched_context.refills.head().amount;
        // It has used what it has used; what it gives up is charged all the same.
        let consumed = sched_context
            .consumed
            .saturating_add(self.scheduler.unbilled);
        self.end_time_slice(machine, rest, false);
        self.sched_contexts[current].consumed = consumed;
    }

    /// Charges the time that has passed to the current scheduling context (`commitTime`).
    pub(crate) fn bill(&mut self) {
        let clock = self.clock();
        let unbilled = core::mem::take(&mut self.scheduler.unbilled);
        if let Some(current) = self.scheduler.current_sc
            && unbilled > 0
        {
            let sched_context = &mut self.sched_contexts[current];
            sched_context.refills.spend(unbilled, clock);
            sched_context.consumed = sched_context.consumed.saturating_add(unbilled);
        }
    }

    /// Makes the scheduling context of the thread that was chosen the one that is charged
    /// (`switchSchedContext`).
    pub(crate) fn switch_sched_context(&mut self) {
        let next = self
            .scheduler
            .current
            .and_then(|current| self.threads[current].sched_context);
        if next != self.scheduler.current_sc {
            self.scheduler.reprogram = true;
            if let Some(next) = next {
                let now = self.scheduler.now;
                self.sched_contexts[next].refills.unblock(now);
            }
        }
        if self.scheduler.reprogram {
            self.bill();
        }
        self.scheduler.current_sc = next;
    }

    /// Whether a scheduling context may be used yet.
    pub(crate) fn is_ready(&self, sched_context: SchedContextId) -> bool {
        self.sched_contexts[sched_context]
            .refills
            .is_ready(self.scheduler.now)
    }

    /// Whether a thread may go into line with a scheduling context (`sc_released`).
    pub(crate) fn is_released(&self, sched_context: SchedContextId) -> bool {
        self.is_ready(sched_context)
            && self.sched_contexts[sched_context]
                .refills
                .is_sufficient(0, self.clock())
    }

    /// What a scheduling context has used since this was last asked, in microseconds
    /// (`schedContext_updateConsumed`).
    pub(crate) fn take_consumed(&mut self, sched_context: SchedContextId) -> u64 {
        let clock = self.clock();
        let consumed = &mut self.sched_contexts[sched_context].consumed;
        let taken = (*consumed).min(clock.max_ticks_in_us());
        *consumed -= taken;
        clock.us(taken)
    }

    /// The thread's budget is used up, and someone wants to know.
    pub(crate) fn raise_timeout(
        &mut self,
        machine: &mut dyn Machine,
        thread: ThreadId,
        sched_context: SchedContextId,
    ) {
        if let Some(handler) = self.threads[thread].timeout_handler {
            let badge = self.sched_contexts[sched_context].badge;
            self.send_fault(machine, thread, Fault::Timeout { badge }, handler, false);
        }
    }
}
