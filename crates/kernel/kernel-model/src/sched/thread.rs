//! Threads: their fields and states.

use super::queue::Link;
use crate::cap::EndpointCap;
use crate::context::UserContext;
use crate::fault::Fault;
use crate::ids::{Arena, EndpointId, NotificationId, ReplyId, SchedContextId, ThreadId};
use crate::numbers::FAST_MESSAGE_WORDS;

pub(crate) type Threads = Arena<ThreadId, Thread>;

/// A thread (seL4 manual, *Threads*).
///
/// The fields that affect scheduling are read through methods, because only the scheduler may
/// assign them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Thread {
    /// The registers.
    pub context: UserContext,
    /// The pending fault. The thread waits until its fault handler has received the fault and
    /// replies.
    pub fault: Option<Fault>,
    /// The *maximum controlled priority*: the highest priority that the thread may give to any
    /// thread.
    pub mcp: u8,
    /// Whether floating-point instructions trap.
    pub fpu_disabled: bool,
    /// Whether the thread has an IPC buffer. Without an IPC buffer, messages of the thread have at
    /// most four words.
    pub has_ipc_buffer: bool,
    /// The bound notification. The thread also receives signals of this notification while it waits
    /// at an endpoint.
    pub bound_notification: Option<NotificationId>,
    /// The capability to the fault handler's endpoint.
    pub fault_handler: Option<EndpointCap>,
    /// The capability to the timeout handler's endpoint. A timeout fault is sent there when the
    /// budget is used up. Without a timeout handler, the thread waits for a refill.
    pub timeout_handler: Option<EndpointCap>,
    pub(super) state: ThreadState,
    pub(super) priority: u8,
    pub(super) sched_context: Option<SchedContextId>,
    pub(super) yield_to: Option<SchedContextId>,
    pub(super) queued: Option<SchedulerQueue>,
    pub(super) link: Link,
}

impl Thread {
    pub(crate) fn new(priority: u8, fpu: bool) -> Self {
        Self {
            context: UserContext::NEW,
            fault: None,
            mcp: priority,
            fpu_disabled: !fpu,
            has_ipc_buffer: true,
            bound_notification: None,
            fault_handler: None,
            timeout_handler: None,
            state: ThreadState::Inactive,
            priority,
            sched_context: None,
            yield_to: None,
            queued: None,
            link: Link::default(),
        }
    }

    /// Returns the state of the thread.
    #[inline(always)]
    pub fn state(&self) -> ThreadState {
        self.state
    }

    /// Returns the priority.
    #[inline(always)]
    pub fn priority(&self) -> u8 {
        self.priority
    }

    /// Returns the scheduling context that the thread runs on.
    #[inline(always)]
    pub fn sched_context(&self) -> Option<SchedContextId> {
        self.sched_context
    }

    /// Returns the scheduling context that the thread has yielded to, until the thread runs again.
    #[inline(always)]
    pub fn yield_to(&self) -> Option<SchedContextId> {
        self.yield_to
    }

    /// Returns whether the thread is neither blocked nor inactive. A runnable thread may still lack
    /// a scheduling context or budget.
    pub fn is_runnable(&self) -> bool {
        matches!(self.state, ThreadState::Running | ThreadState::Restart)
    }

    /// Returns whether the thread waits for another thread or a signal.
    pub fn is_blocked(&self) -> bool {
        matches!(
            self.state,
            ThreadState::BlockedOnReceive { .. }
                | ThreadState::BlockedOnSend { .. }
                | ThreadState::BlockedOnReply { .. }
                | ThreadState::BlockedOnNotification { .. }
        )
    }

    /// Returns whether the scheduler may choose the thread: it is runnable, has a scheduling
    /// context, and is not in the release queue (`isSchedulable`).
    pub fn is_schedulable(&self) -> bool {
        self.is_runnable() && self.sched_context.is_some() && !self.is_in_release_queue()
    }

    /// Returns whether the thread is in the release queue, where it waits for its next refill.
    pub fn is_in_release_queue(&self) -> bool {
        self.queued == Some(SchedulerQueue::Release)
    }

    /// Returns whether the thread is in the ready queue.
    pub fn is_ready(&self) -> bool {
        self.queued == Some(SchedulerQueue::Ready)
    }

    /// Returns the scheduler's queue that contains the thread.
    pub(crate) fn queued(&self) -> Option<SchedulerQueue> {
        self.queued
    }

    /// Returns whether no queue links to the thread, neither a queue of the scheduler nor a queue
    /// of an object.
    pub(crate) fn is_unlinked(&self) -> bool {
        self.link == Link::default()
    }

    /// Returns how many of `length` message words the thread can send or receive. Without an IPC
    /// buffer, these are only the words in registers.
    pub(crate) fn message_words(&self, length: u8) -> usize {
        let length = usize::from(length);
        if self.has_ipc_buffer {
            length
        } else {
            length.min(FAST_MESSAGE_WORDS)
        }
    }
}

/// One of the scheduler's queues.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub(crate) enum SchedulerQueue {
    Ready,
    Release,
}

/// The state of a thread (seL4's `ThreadState`).
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub enum ThreadState {
    /// The thread is inactive until another thread resumes it.
    Inactive,
    /// The thread runs, or will run, at its [`pc`](UserContext::pc).
    Running,
    /// The thread will run the instruction at its [`fault_ip`](UserContext::fault_ip) again.
    Restart,
    /// The thread waits for a message.
    BlockedOnReceive {
        /// The endpoint to receive from.
        endpoint: EndpointId,
        /// The reply object that will hold the sender of a call.
        reply: Option<ReplyId>,
    },
    /// The thread waits for a receiver.
    BlockedOnSend {
        /// The endpoint to send to.
        endpoint: EndpointId,
        /// The badge that the receiver will get.
        badge: u64,
        /// Whether the thread may send capabilities and get a reply.
        can_grant: bool,
        /// Whether the thread may get a reply.
        can_grant_reply: bool,
        /// Whether the thread waits for a reply after the send.
        is_call: bool,
    },
    /// The thread waits for a reply.
    BlockedOnReply {
        /// The reply object that holds the thread.
        reply: ReplyId,
    },
    /// The thread waits for a signal.
    BlockedOnNotification {
        /// The notification to wait for.
        notification: NotificationId,
    },
}
