//! The kernel's objects: what each holds, and which others it knows.
//!
//! Objects that know each other know each other: a thread names its scheduling context and the
//! scheduling context its thread. [`Kernel::check`](crate::Kernel::check) says which pairs there
//! are and holds them to it.

use crate::cap::EndpointCap;
use crate::clock::Ticks;
use crate::context::UserContext;
use crate::fault::Fault;
use crate::ids::{EndpointId, NotificationId, ReplyId, SchedContextId, ThreadId};
use crate::queue::{Link, Queue};
use crate::refill::Refills;

/// A thread (seL4 manual, *Threads*).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Thread {
    /// Its registers.
    pub context: UserContext,
    /// What it is doing.
    pub state: ThreadState,
    /// The fault that it waits to have handled.
    pub fault: Option<Fault>,
    /// Its priority.
    pub priority: u8,
    /// The highest priority that it may give, its *maximum controlled priority*.
    pub mcp: u8,
    /// Its floating-point instructions trap.
    pub fpu_disabled: bool,
    /// It has an IPC buffer; without one, messages to and from it have at most four words.
    pub has_ipc_buffer: bool,
    /// On what it runs.
    pub sched_context: Option<SchedContextId>,
    /// To which scheduling context it has yielded, if it has not run since.
    pub yield_to: Option<SchedContextId>,
    /// The notification that also wakes it when it receives on an endpoint.
    pub bound_notification: Option<NotificationId>,
    /// Where its faults go.
    pub fault_handler: Option<EndpointCap>,
    /// Where it goes when its budget is used up, instead of waiting.
    pub timeout_handler: Option<EndpointCap>,
    /// Which of the scheduler's queues it is in.
    pub(crate) queued: Option<SchedulerQueue>,
    pub(crate) link: Link,
}

impl Thread {
    pub(crate) fn new(priority: u8, fpu: bool) -> Self {
        Self {
            context: UserContext::NEW,
            state: ThreadState::Inactive,
            fault: None,
            priority,
            mcp: priority,
            fpu_disabled: !fpu,
            has_ipc_buffer: true,
            sched_context: None,
            yield_to: None,
            bound_notification: None,
            fault_handler: None,
            timeout_handler: None,
            queued: None,
            link: Link::default(),
        }
    }

    /// Whether it would run if it had the time to.
    pub fn is_runnable(&self) -> bool {
        matches!(self.state, ThreadState::Running | ThreadState::Restart)
    }

    /// Whether it waits for another thread.
    pub fn is_blocked(&self) -> bool {
        matches!(
            self.state,
            ThreadState::BlockedOnReceive { .. }
                | ThreadState::BlockedOnSend { .. }
                | ThreadState::BlockedOnReply { .. }
                | ThreadState::BlockedOnNotification { .. }
        )
    }

    /// Whether the scheduler may choose it: it is runnable, has a scheduling context, and does not
    /// wait for budget (`isSchedulable`).
    pub fn is_schedulable(&self) -> bool {
        self.is_runnable() && self.sched_context.is_some() && !self.awaits_budget()
    }

    /// Whether it waits until its scheduling context may be used again.
    pub fn awaits_budget(&self) -> bool {
        self.queued == Some(SchedulerQueue::Release)
    }

    /// Whether it is in line for the processor.
    pub fn is_ready(&self) -> bool {
        self.queued == Some(SchedulerQueue::Ready)
    }
}

/// Which of the scheduler's queues a thread is in.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub(crate) enum SchedulerQueue {
    Ready,
    Release,
}

/// What a thread is doing (seL4's `ThreadState`).
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub enum ThreadState {
    /// Nothing, until someone resumes it.
    Inactive,
    /// Running, or ready to, at its [`pc`](UserContext::pc).
    Running,
    /// About to start over at its [`fault_ip`](UserContext::fault_ip).
    Restart,
    /// Waiting for a message.
    BlockedOnReceive {
        /// Where.
        endpoint: EndpointId,
        /// What will hold the caller, if the message is a call.
        reply: Option<ReplyId>,
    },
    /// Waiting for someone to take its message.
    BlockedOnSend {
        /// Where.
        endpoint: EndpointId,
        /// What the receiver will be told about the sender.
        badge: u64,
        /// It may send capabilities and be replied to.
        can_grant: bool,
        /// It may be replied to.
        can_grant_reply: bool,
        /// It waits for a reply after that.
        is_call: bool,
    },
    /// Waiting for a reply.
    BlockedOnReply {
        /// What holds it.
        reply: ReplyId,
    },
    /// Waiting for a signal.
    BlockedOnNotification {
        /// Where.
        notification: NotificationId,
    },
}

/// An endpoint (seL4 manual, *Message Passing*). Its queue is sorted by priority; within one, who
/// came first is first.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Endpoint {
    /// Nobody waits.
    #[default]
    Idle,
    /// Threads wait to send.
    Sending(Queue),
    /// Threads wait to receive.
    Receiving(Queue),
}

impl Endpoint {
    /// Who waits, in the order of their turns.
    pub fn queue(&self) -> Queue {
        match self {
            Self::Idle => Queue::default(),
            Self::Sending(queue) | Self::Receiving(queue) => *queue,
        }
    }
}

/// A notification (seL4 manual, *Notifications*).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Notification {
    /// What it holds.
    pub state: NotificationState,
    /// The thread that it also wakes from an endpoint.
    pub bound_thread: Option<ThreadId>,
    /// What it lends to a thread without a scheduling context.
    pub sched_context: Option<SchedContextId>,
}

/// What a notification holds.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash, Default)]
pub enum NotificationState {
    /// Nothing.
    #[default]
    Idle,
    /// Threads that wait for a signal, sorted as an endpoint's.
    Waiting(Queue),
    /// Badges of the signals that nobody has received yet, all together.
    Active(u64),
}

/// A reply object (seL4 manual, *Message Passing*): it holds a caller until it is replied to.
///
/// Reply objects through which one scheduling context was lent form a stack, on top of which is
/// the scheduling context.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Reply {
    /// The caller, or the thread that receives with this object.
    pub thread: Option<ThreadId>,
    /// The reply object below it in its stack.
    pub below: Option<ReplyId>,
    /// What lies above it in its stack.
    pub above: Option<Above>,
}

/// What lies above a reply object.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub enum Above {
    /// Another: its callee has lent the scheduling context on.
    Reply(ReplyId),
    /// The scheduling context: this is the top of the stack.
    SchedContext(SchedContextId),
}

/// A scheduling context (seL4 manual, *Scheduling Contexts*): the right to use processor time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SchedContext {
    /// What it may still use, and when.
    pub refills: Refills,
    /// What has been used since someone asked.
    pub consumed: Ticks,
    /// Who runs on it.
    pub thread: Option<ThreadId>,
    /// The notification that lends it.
    pub notification: Option<NotificationId>,
    /// The top of the stack of callers that have lent it.
    pub reply: Option<ReplyId>,
    /// Who has yielded to it and not run since.
    pub yield_from: Option<ThreadId>,
    /// What a timeout fault says about it.
    pub badge: u64,
}

/// An interrupt (seL4 manual, *Hardware I/O*).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Irq {
    /// What is signalled when it comes, and with which badge.
    pub handler: Option<IrqHandler>,
    /// It is masked until it is acknowledged.
    pub masked: bool,
}

/// What an interrupt signals.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub struct IrqHandler {
    /// The notification.
    pub notification: NotificationId,
    /// The badge.
    pub badge: u64,
}
