//! Forgetting when things happened, so that states that will do the same are the same.
//!
//! A search over everything that a system can do ends only if it finds states again. Time goes on,
//! and with it every time that is written down; but what happens next only depends on the
//! differences.

use crate::clock::Ticks;
use crate::kernel::Kernel;

impl Kernel {
    /// Moves the beginning of time as far forward as it can, and returns how far that is.
    ///
    /// From here on the kernel does what it would have done, provided that the machine's clock is
    /// put back by as much. Kernels that differ only in how long they have been waiting are equal
    /// after this. What scheduling contexts have consumed is not forgotten, because a PD may ask.
    pub fn rebase(&mut self) -> Ticks {
        let scheduler = &mut self.scheduler;
        let mut base = scheduler.now;
        for sched_context in self.sched_contexts.ids() {
            let refills = &mut self.sched_contexts[sched_context].refills;
            if scheduler.current_sc == Some(sched_context) {
                // What the running thread uses comes back a period after this time.
                if !refills.is_round_robin() {
                    base = base.min(refills.head().time);
                }
            } else {
                // For how long the others could have run does not matter: this happens to them
                // anyway, as soon as they do.
                refills.unblock(scheduler.now);
            }
        }
        for sched_context in self.sched_contexts.ids() {
            self.sched_contexts[sched_context].refills.rebase(base);
        }
        scheduler.now -= base;
        scheduler.deadline = scheduler
            .deadline
            .map(|deadline| deadline.saturating_sub(base));
        base
    }
}
