//! Stopping, starting and ordering threads (seL4 manual, *Threads*; seL4's `kernel/thread.c`).

use crate::ids::ThreadId;
use crate::kernel::Kernel;
use crate::objects::ThreadState;

impl Kernel {
    /// Stops a thread, whatever it does (`suspend`).
    pub(crate) fn suspend(&mut self, thread: ThreadId) {
        self.cancel_ipc(thread);
        if self.threads[thread].state == ThreadState::Running {
            // It is between two instructions: when resumed, it goes on rather than start over.
            let context = &mut self.threads[thread].context;
            context.fault_ip = context.pc;
        }
        self.dequeue_ready(thread);
        self.dequeue_release(thread);
        self.cancel_yield(thread);
        self.set_state(thread, ThreadState::Inactive);
    }

    /// Lets a thread that is stopped or waits start over (`restart`).
    pub(crate) fn resume(&mut self, thread: ThreadId) {
        if self.threads[thread].is_runnable() {
            return;
        }
        self.cancel_ipc(thread);
        self.set_state(thread, ThreadState::Restart);
        if let Some(sched_context) = self.threads[thread].sched_context {
            self.postpone_unless_released(sched_context);
        }
        if self.threads[thread].is_schedulable() {
            self.may_run(thread);
        }
    }

    /// Gives a thread another priority, and another place in the queue that it is in
    /// (`setPriority`).
    pub(crate) fn set_priority(&mut self, thread: ThreadId, priority: u8) {
        match self.threads[thread].state {
            ThreadState::Running | ThreadState::Restart
                if self.threads[thread].is_ready() || self.scheduler.current == Some(thread) =>
            {
                self.dequeue_ready(thread);
                self.threads[thread].priority = priority;
                self.enqueue_first(thread);
                self.reschedule();
            }
            ThreadState::BlockedOnReceive { endpoint, .. }
            | ThreadState::BlockedOnSend { endpoint, .. } => {
                self.threads[thread].priority = priority;
                self.requeue_at_endpoint(thread, endpoint);
            }
            ThreadState::BlockedOnNotification { notification } => {
                self.threads[thread].priority = priority;
                self.requeue_at_notification(thread, notification);
            }
            _ => self.threads[thread].priority = priority,
        }
    }
}
