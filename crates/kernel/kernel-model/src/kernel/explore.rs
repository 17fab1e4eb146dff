//! Operations for tests, in addition to the events: tests can run a thread that the scheduler has
//! not chosen, and can suspend a thread.

use super::Kernel;
use crate::cap::Cap;
use crate::control::suspend;
use crate::event::Next;
use crate::ids::ThreadId;
use crate::machine::Machine;

impl Kernel {
    /// Runs a thread of the [ready queue](Self::ready) instead of the current thread. The current
    /// thread becomes ready. Priorities are ignored, so [`check`](Self::check) fails until the
    /// scheduler chooses again.
    ///
    /// # Panics
    ///
    /// Panics if the thread is neither running nor ready.
    pub fn run_instead(&mut self, thread: ThreadId, machine: &mut impl Machine) -> Next {
        if self.sched.current() == Some(thread) || self.halted {
            return self.next();
        }
        assert!(
            self.thread(thread).is_ready(),
            "{} cannot run: it is {:?}",
            self.name(thread),
            self.thread(thread).state()
        );
        self.sched.force_switch_to(thread);
        self.schedule(machine);
        self.next()
    }

    /// Suspends a thread, as its parent can (seL4 manual, *`seL4_TCB_Suspend`*).
    pub fn stop(&mut self, thread: ThreadId, machine: &mut impl Machine) -> Next {
        suspend(
            &mut self.sched,
            &mut self.ipc,
            &mut self.notifications,
            thread,
        );
        self.leave(machine)
    }

    /// Returns the capability at a capability pointer of a thread, or [`Cap::Null`].
    pub fn cap(&self, thread: ThreadId, cptr: u64) -> Cap {
        self.system.lookup(thread, cptr).unwrap_or_default()
    }
}
