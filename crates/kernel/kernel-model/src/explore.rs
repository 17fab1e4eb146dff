//! What a test may do that no event does: let another thread run than the scheduler has chosen, and
//! stop one where it is.

use crate::cap::Cap;
use crate::event::Next;
use crate::ids::ThreadId;
use crate::kernel::Kernel;
use crate::machine::Machine;

impl Kernel {
    /// Lets a thread that is in [line](Self::ready) run instead of the one that was chosen, which
    /// goes into line. The priority of either does not matter, so
    /// [`check`](Self::check) does not hold until the scheduler chooses again.
    ///
    /// **Panics:** if the thread is not in line and does not run.
    pub fn run_instead(&mut self, thread: ThreadId, machine: &mut impl Machine) -> Next {
        let current = self.scheduler.current;
        if current == Some(thread) || self.halted {
            return self.next();
        }
        assert!(
            self.threads[thread].is_ready(),
            "{} cannot run: it is {:?}",
            self.name(thread),
            self.threads[thread].state
        );
        if let Some(current) = current {
            self.enqueue_first(current);
        }
        self.switch_to(thread);
        self.schedule(machine);
        self.next()
    }

    /// Stops a thread, as its parent could (seL4 manual, *seL4_TCB_Suspend*).
    pub fn stop(&mut self, thread: ThreadId, machine: &mut impl Machine) -> Next {
        self.suspend(thread);
        self.leave(machine)
    }

    /// The capability that a thread reaches by a pointer; [`Cap::Null`] if it reaches none.
    pub fn cap(&self, thread: ThreadId, cptr: u64) -> Cap {
        self.lookup(thread, cptr).unwrap_or_default()
    }
}
