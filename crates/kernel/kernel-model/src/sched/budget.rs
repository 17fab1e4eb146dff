//! Measures time, charges it to scheduling contexts, and ends time slices (seL4 manual, *Scheduling
//! Contexts*; seL4's `kernel/thread.c` and `.h`).
//!
//! The kernel reads the time once on every entry. The time since the last entry stays *unbilled*
//! until the time slice ends, another scheduling context takes over, or the timer is set.

use super::Scheduler;
use crate::clock::Ticks;
use crate::ids::{SchedContextId, ThreadId};

/// The current thread has too little budget for this entry. The time slice of the thread has ended.
#[derive(Debug)]
pub(crate) struct BudgetExpired {
    /// The thread, if a timeout fault must be sent for it. Such a thread is in no queue.
    pub(crate) timeout: Option<ThreadId>,
}

impl Scheduler {
    /// Records the time of the entry. Checks that the budget covers the elapsed time and the
    /// longest time that the kernel may take.
    ///
    /// # Errors
    ///
    /// Fails if the budget is too small. The time slice has then ended. If the error contains a
    /// thread, the caller must send its timeout fault.
    pub(crate) fn enter(&mut self, now: Ticks) -> Result<(), BudgetExpired> {
        self.read_time(now);
        let unbilled = self.unbilled;
        let Some(current) = self.current_sc else {
            // Idle time is not charged.
            self.unbilled = 0;
            return Ok(());
        };
        if self.sched_contexts[current]
            .refills
            .is_sufficient(unbilled, self.clock)
        {
            return Ok(());
        }
        Err(BudgetExpired {
            timeout: self.end_time_slice(unbilled, true),
        })
    }

    /// Starts the clock, before the first thread runs.
    pub(crate) fn start(&mut self, now: Ticks) {
        self.now = now;
    }

    fn read_time(&mut self, now: Ticks) {
        let now = now.max(self.now);
        let passed = now - self.now;
        self.now = now;
        self.unbilled = self.unbilled.saturating_add(passed);
    }

    /// Requests that the timer is set again at the end of this step.
    pub(crate) fn reprogram(&mut self) {
        self.reprogram = true;
    }

    /// Charges `usage` and ends the time slice of the current thread (`chargeBudget`). If the
    /// thread must get a timeout fault, returns the thread.
    fn end_time_slice(&mut self, usage: Ticks, may_time_out: bool) -> Option<ThreadId> {
        self.unbilled = 0;
        let sched_context = self.current_sc?;
        let charged = &mut self.sched_contexts[sched_context];
        charged.refills.exhaust(usage, self.clock);
        charged.consumed = charged.consumed.saturating_add(usage);
        let current = self.current?;
        if !self.threads[current].is_schedulable() {
            return None;
        }
        let round_robin = self.sched_contexts[sched_context].refills.is_round_robin();
        let times_out =
            may_time_out && !round_robin && self.threads[current].timeout_handler.is_some();
        if !times_out {
            if self.is_released(sched_context) {
                self.enqueue_last(current);
            } else {
                self.postpone(sched_context);
            }
        }
        self.reschedule();
        self.reprogram = true;
        times_out.then_some(current)
    }

    /// Ends the time slice of the current thread early (seL4 manual, *`seL4_Yield`*).
    pub(crate) fn yield_now(&mut self) {
        let Some(current) = self.current_sc else {
            return;
        };
        let sched_context = &self.sched_contexts[current];
        let rest = sched_context.refills.head().amount;
        // The whole rest of the budget is charged, but only the time until now counts as consumed.
        let consumed = sched_context.consumed.saturating_add(self.unbilled);
        let _no_timeout = self.end_time_slice(rest, false);
        self.sched_contexts[current].consumed = consumed;
    }

    /// Charges the unbilled time to the current scheduling context (`commitTime`).
    fn bill(&mut self) {
        let unbilled = core::mem::take(&mut self.unbilled);
        if let Some(current) = self.current_sc
            && unbilled > 0
        {
            let sched_context = &mut self.sched_contexts[current];
            sched_context.refills.spend(unbilled, self.clock);
            sched_context.consumed = sched_context.consumed.saturating_add(unbilled);
        }
    }

    /// Charges time to the scheduling context of the current thread from now on
    /// (`switchSchedContext`).
    pub(super) fn switch_sched_context(&mut self) {
        let next = self
            .current
            .and_then(|current| self.threads[current].sched_context);
        if next != self.current_sc {
            self.reprogram = true;
            if let Some(next) = next {
                self.sched_contexts[next].refills.unblock(self.now);
            }
        }
        if self.reprogram {
            self.bill();
        }
        self.current_sc = next;
    }

    /// Returns whether the first refill of a scheduling context can be used now.
    pub(crate) fn is_ready(&self, sched_context: SchedContextId) -> bool {
        self.sched_contexts[sched_context]
            .refills
            .is_ready(self.now)
    }

    /// Returns whether a scheduling context has enough usable budget for its thread to be in the
    /// ready queue (`sc_released`).
    pub(crate) fn is_released(&self, sched_context: SchedContextId) -> bool {
        self.is_ready(sched_context)
            && self.sched_contexts[sched_context]
                .refills
                .is_sufficient(0, self.clock)
    }

    /// Returns the time that a scheduling context has used since the last call, in microseconds
    /// (`schedContext_updateConsumed`).
    pub(crate) fn take_consumed(&mut self, sched_context: SchedContextId) -> u64 {
        let clock = self.clock;
        let consumed = &mut self.sched_contexts[sched_context].consumed;
        let taken = (*consumed).min(clock.max_ticks_in_us());
        *consumed -= taken;
        clock.us(taken)
    }
}
