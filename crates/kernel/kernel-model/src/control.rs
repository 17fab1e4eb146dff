//! Suspending, resuming and reprioritising threads, which takes the scheduler and the queues of IPC
//! (seL4 manual, *Threads*; seL4's `kernel/thread.c`).

use crate::ids::ThreadId;
use crate::ipc::Ipc;
use crate::notification::Notifications;
use crate::sched::{Scheduler, ThreadState};

/// Suspends a thread, whatever it is doing (`suspend`).
pub(crate) fn suspend(
    sched: &mut Scheduler,
    ipc: &mut Ipc,
    notifications: &mut Notifications,
    thread: ThreadId,
) {
    ipc.cancel(sched, notifications, thread);
    if sched.thread(thread).state() == ThreadState::Running {
        // It is between two instructions, so it must resume at the next and not run the last again.
        let context = &mut sched.thread_mut(thread).context;
        context.fault_ip = context.pc;
    }
    sched.dequeue(thread);
    sched.cancel_yield(thread);
    sched.set_state(thread, ThreadState::Inactive);
}

/// Resumes a thread that is inactive or blocked. It runs its last instruction again (`restart`).
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

/// Sets the priority of a thread, and its place in the queue that it is in (`setPriority`).
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
