//! Threads: what each holds, and what it is doing.

use super::queue::Link;
use crate::cap::EndpointCap;
use crate::context::UserContext;
use crate::fault::Fault;
use crate::ids::{Arena, EndpointId, NotificationId, ReplyId, SchedContextId, ThreadId};
use crate::numbers::FAST_MESSAGE_WORDS;

pub(crate) type Threads = Arena<ThreadId, Thread>;

/// A thread (seL4 manual, *Threads*).
///
/// The fields that decide whether and when it runs are read through methods, because only the
/// scheduler may assign them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Thread {
    /// The registers.
    pub context: UserContext,
    /// The fault for which it waits for a reply, or to send to its fault handler.
    pub fault: Option<Fault>,
    /// The *maximum controlled priority*: the highest priority that it may give to a thread.
    pub mcp: u8,
    /// Whether floating-point instructions trap.
    pub fpu_disabled: bool,
    /// Whether it has an IPC buffer. Without one, its messages have at most four words.
    pub has_ipc_buffer: bool,
    /// The notification whose signals it also receives while it waits at an endpoint.
    pub bound_notification: Option<NotificationId>,
    /// Where its faults are sent.
    pub fault_handler: Option<EndpointCap>,
    /// Where a timeout fault is sent when its budget is used up. Without one, it waits for a
    /// refill.
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

    /// What it is doing.
    #[inline(always)]
    pub fn state(&self) -> ThreadState {
        self.state
    }

    /// The priority.
    #[inline(always)]
    pub fn priority(&self) -> u8 {
        self.priority
    }

    /// The scheduling context that it runs on.
    #[inline(always)]
    pub fn sched_context(&self) -> Option<SchedContextId> {
        self.sched_context
    }

    /// The scheduling context that it has yielded to, until it runs again.
    #[inline(always)]
    pub fn yield_to(&self) -> Option<SchedContextId> {
        self.yield_to
    }

    /// Returns whether it is neither blocked nor inactive. It may still lack a scheduling context
    /// or budget.
    pub fn is_runnable(&self) -> bool {
        matches!(self.state, ThreadState::Running | ThreadState::Restart)
    }

    /// Returns whether it waits for another thread or a signal.
    pub fn is_blocked(&self) -> bool {
        matches!(
            self.state,
            ThreadState::BlockedOnReceive { .. }
                | ThreadState::BlockedOnSend { .. }
                | ThreadState::BlockedOnReply { .. }
                | ThreadState::BlockedOnNotification { .. }
        )
    }

    /// Returns whether the scheduler may choose it: it is runnable, has a scheduling context, and
    /// is not in the release queue (`isSchedulable`).
    pub fn is_schedulable(&self) -> bool {
        self.is_runnable() && self.sched_context.is_some() && !self.is_in_release_queue()
    }

    /// Returns whether it is in the release queue: it waits for its next refill.
    pub fn is_in_release_queue(&self) -> bool {
        self.queued == Some(SchedulerQueue::Release)
    }

    /// Returns whether it is in the ready queue.
    pub fn is_ready(&self) -> bool {
        self.queued == Some(SchedulerQueue::Ready)
    }

    /// The scheduler's queue that it is in.
    pub(crate) fn queued(&self) -> Option<SchedulerQueue> {
        self.queued
    }

    /// Returns whether no queue links to it, neither the scheduler's nor an object's.
    pub(crate) fn is_unlinked(&self) -> bool {
        self.link == Link::default()
    }

    /// How many of `length` message words it can send or receive: without an IPC buffer, only
    /// those in registers.
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

/// What a thread is doing (seL4's `ThreadState`).
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub enum ThreadState {
    /// It does nothing until it is resumed.
    Inactive,
    /// It runs, or will run, at its [`pc`](UserContext::pc).
    Running,
    /// It will run the instruction at its [`fault_ip`](UserContext::fault_ip) again.
    Restart,
    /// It waits for a message.
    BlockedOnReceive {
        /// The endpoint that it receives from.
        endpoint: EndpointId,
        /// The reply object that will hold the caller if the message is a call.
        reply: Option<ReplyId>,
    },
    /// It waits for a receiver.
    BlockedOnSend {
        /// The endpoint that it sends to.
        endpoint: EndpointId,
        /// The badge that the receiver will get.
        badge: u64,
        /// It may send capabilities, and be replied to.
        can_grant: bool,
        /// It may be replied to.
        can_grant_reply: bool,
        /// It waits for a reply after it has sent.
        is_call: bool,
    },
    /// It waits for a reply.
    BlockedOnReply {
        /// The reply object that holds it.
        reply: ReplyId,
    },
    /// It waits for a signal.
    BlockedOnNotification {
        /// The notification that it waits for.
        notification: NotificationId,
    },
}
