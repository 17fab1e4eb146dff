//! Making states comparable that differ only in when things happened.
//!
//! A search over everything that a system can do ends only if it reaches states that it has seen.
//! Absolute times would make every state new, but what happens next depends on differences only.

use super::Scheduler;
use crate::clock::Ticks;

impl Scheduler {
    /// Subtracts from all times the largest base that changes nothing, and returns the base.
    pub(crate) fn rebase(&mut self) -> Ticks {
        let mut base = self.now;
        for sched_context in self.sched_contexts.ids() {
            let refills = &mut self.sched_contexts[sched_context].refills;
            if self.current_sc == Some(sched_context) {
                // The time that the running thread uses comes back a period after this time.
                if !refills.is_round_robin() {
                    base = base.min(refills.head().time);
                }
            } else {
                // Since when the others could have run does not matter: their heads are unblocked
                // anyway when they next run.
                refills.unblock(self.now);
            }
        }
        for sched_context in self.sched_contexts.ids() {
            self.sched_contexts[sched_context].refills.rebase(base);
        }
        self.now -= base;
        self.deadline = self.deadline.map(|deadline| deadline.saturating_sub(base));
        base
    }
}
