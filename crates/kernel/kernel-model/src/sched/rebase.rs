//! Makes two states equal if they differ only in absolute times.
//!
//! A search over all behaviour of a system ends only if it reaches states that it has already
//! visited. With absolute times, every state would be new. But the behaviour depends only on
//! differences between times.

use super::Scheduler;
use crate::clock::Ticks;

impl Scheduler {
    /// Subtracts a base from all times, and returns the base. The base is as large as possible
    /// without a change of the behaviour.
    pub(crate) fn rebase(&mut self) -> Ticks {
        let mut base = self.now;
        for sched_context in self.sched_contexts.ids() {
            let refills = &mut self.sched_contexts[sched_context].refills;
            if self.current_sc == Some(sched_context) {
                // The budget that the running thread uses comes back one period after this time, so
                // the base must not be later than this time.
                if !refills.is_round_robin() {
                    base = base.min(refills.head().time);
                }
            } else {
                // For the other scheduling contexts, the start of a usable head does not matter:
                // the head is unblocked when its thread next runs.
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
