//! Suspends, resumes and reprioritises threads. These operations change the scheduler and the
//! queues of IPC (seL4 manual, *Threads*; seL4's `kernel/thread.c`).

use crate::ids::ThreadId;
use crate::ipc::Ipc;
use crate::notification::Notifications;
use crate::sched::{Scheduler, ThreadState};

/// Suspends a thread in any state (`suspend`).
pub(crate) fn suspend(
    sched: &mut Scheduler,
    ipc: &mut Ipc,
    notifications: &mut Notifications,
    thread: ThreadId,
) {
    ipc.cancel(sched, notifications, thread);
    if sched.thread(thread).state() == ThreadState::Running {
        // The thread is between two instructions. When resumed, the thread must execute the next
        // instruction and must not repeat the last one.
        let context = &mut sched.thread_mut(thread).context;
        context.fault_ip = context.pc;
    }
    sched.dequeue(thread);
    sched.cancel_yield(thread);
    sched.set_state(thread, ThreadState::Inactive);
}

/// Resumes a thread that is inactive or blocked. The thread runs its last instruction again
/// (`restart`).
pub(crate) fn resume(
    sched: &mut Scheduler,
    ipc: &mut Ipc,
    notifications: &mut Notifications,
    thread: ThreadId,
) {
    if sched.thread(thread).is_runnable() {
        return;
    }
    ipc.cancel(sched, notifications, thread);
    sched.set_state(thread, ThreadState::Restart);
    if let Some(sched_context) = sched.thread(thread).sched_context() {
        sched.postpone_unless_released(sched_context);
    }
    if sched.thread(thread).is_schedulable() {
        sched.possible_switch_to(thread);
    }
}

/// Sets the priority of a thread, and moves the thread to its new place in its queue
/// (`setPriority`).
pub(crate) fn set_priority(
    sched: &mut Scheduler,
    ipc: &mut Ipc,
    notifications: &mut Notifications,
    thread: ThreadId,
    priority: u8,
) {
    sched.set_priority(thread, priority);
    match sched.thread(thread).state() {
        ThreadState::BlockedOnReceive { endpoint, .. }
        | ThreadState::BlockedOnSend { endpoint, .. } => ipc.requeue(sched, thread, endpoint),
        ThreadState::BlockedOnNotification { notification } => {
            notifications.requeue(sched, thread, notification);
        }
        _ => {}
    }
}
