//! Sending and receiving through endpoints (seL4's `object/endpoint.c`).

use super::Ipc;
use crate::cap::EndpointCap;
use crate::context::BADGE_REGISTER;
use crate::fault::Fault;
use crate::ids::{EndpointId, ReplyId, ThreadId};
use crate::messages::Messages;
use crate::notification::{NotificationState, Notifications};
use crate::sched::{Queue, Scheduler, ThreadState};

/// An endpoint (seL4 manual, *Message Passing*). The queue is sorted by priority, and by the order
/// of arrival within a priority.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Endpoint {
    /// No thread waits.
    #[default]
    Idle,
    /// Threads wait to send.
    Sending(Queue),
    /// Threads wait to receive.
    Receiving(Queue),
}

impl Endpoint {
    /// Returns the threads that wait.
    pub fn queue(&self) -> Queue {
        match self {
            Self::Idle => Queue::default(),
            Self::Sending(queue) | Self::Receiving(queue) => *queue,
        }
    }
}

/// The options of a send.
#[derive(Debug, Copy, Clone)]
pub(crate) struct SendMode {
    /// The capability that the sender uses.
    pub(crate) cap: EndpointCap,
    /// Whether the sender waits for a receiver.
    pub(crate) blocking: bool,
    /// Whether the sender waits for a reply.
    pub(crate) call: bool,
    /// Whether the sender donates its scheduling context to a receiver that has none.
    pub(crate) donate: bool,
}

/// The options of a receive.
#[derive(Debug, Copy, Clone)]
pub(crate) struct ReceiveMode {
    /// The endpoint to receive from.
    pub(crate) endpoint: EndpointId,
    /// Whether the receiver waits for a sender.
    pub(crate) blocking: bool,
    /// The reply object that holds the sender of a call.
    pub(crate) reply: Option<ReplyId>,
}

impl Ipc {
    /// Sends the message in a thread's registers and IPC buffer. If the thread has a fault, sends
    /// the fault instead (`sendIPC`).
    pub(crate) fn send(
        &mut self,
        sched: &mut Scheduler,
        messages: &mut Messages<'_>,
        sender: ThreadId,
        how: SendMode,
    ) {
        let EndpointCap {
            endpoint,
            badge,
            can_grant,
            can_grant_reply,
            ..
        } = how.cap;
        let Endpoint::Receiving(queue) = self.endpoints[endpoint] else {
            if how.blocking {
                let state = ThreadState::BlockedOnSend {
                    endpoint,
                    badge,
                    can_grant,
                    can_grant_reply,
                    is_call: how.call,
                };
                sched.set_state(sender, state);
                self.enqueue(sched, sender, endpoint);
            }
            return;
        };
        let Some(receiver) = queue.first() else {
            return;
        };
        let ThreadState::BlockedOnReceive { reply, .. } = sched.thread(receiver).state() else {
            return;
        };
        self.dequeue(sched, receiver, endpoint);
        messages.transfer(sched, sender, Some(endpoint), badge, can_grant, receiver);
        if let Some(reply) = reply {
            self.unlink_reply(sched, reply);
        }
        if how.call || sched.thread(sender).fault.is_some() {
            match reply {
                Some(reply) if can_grant || can_grant_reply => {
                    self.push_reply(sched, sender, receiver, reply, how.donate);
                }
                _ => sched.set_state(sender, ThreadState::Inactive),
            }
        } else if how.donate
            && sched.thread(receiver).sched_context().is_none()
            && let Some(sched_context) = sched.thread(sender).sched_context()
        {
            sched.donate(sched_context, receiver);
        }
        sched.set_state(receiver, ThreadState::Running);
        sched.possible_switch_to(receiver);
    }

    /// Receives a message from an endpoint, or a signal of the thread's bound notification
    /// (`receiveIPC`).
    pub(crate) fn receive(
        &mut self,
        sched: &mut Scheduler,
        notifications: &mut Notifications,
        messages: &mut Messages<'_>,
        receiver: ThreadId,
        how: ReceiveMode,
    ) {
        let ReceiveMode {
            endpoint,
            blocking,
            reply,
        } = how;
        // The receiver reuses the reply object. A caller that the reply object still holds never
        // gets a reply.
        if let Some(reply) = reply
            && let Some(holds) = self.replies[reply].thread
            && holds != receiver
        {
            self.cancel(sched, notifications, holds);
        }
        if let Some(notification) = sched.thread(receiver).bound_notification {
            if let NotificationState::Active(_) = notifications.get(notification).state {
                notifications.take_signal(sched, receiver, notification);
                return;
            }
            if blocking {
                notifications.return_sched_context(sched, receiver, notification);
            }
        }
        match self.endpoints[endpoint] {
            Endpoint::Sending(queue) => {
                if let Some(sender) = queue.first() {
                    self.receive_from(sched, messages, receiver, sender, reply);
                }
            }
            Endpoint::Idle | Endpoint::Receiving(_) if blocking => {
                sched.set_state(receiver, ThreadState::BlockedOnReceive { endpoint, reply });
                if let Some(reply) = reply {
                    self.replies[reply].thread = Some(receiver);
                }
                self.enqueue(sched, receiver, endpoint);
            }
            Endpoint::Idle | Endpoint::Receiving(_) => {
                sched.thread_mut(receiver).context[BADGE_REGISTER] = 0;
            }
        }
    }

    /// Receives the message of a blocked sender.
    fn receive_from(
        &mut self,
        sched: &mut Scheduler,
        messages: &mut Messages<'_>,
        receiver: ThreadId,
        sender: ThreadId,
        reply: Option<ReplyId>,
    ) {
        let ThreadState::BlockedOnSend {
            endpoint,
            badge,
            can_grant,
            can_grant_reply,
            is_call,
        } = sched.thread(sender).state()
        else {
            return;
        };
        self.dequeue(sched, sender, endpoint);
        messages.transfer(sched, sender, Some(endpoint), badge, can_grant, receiver);
        let fault = sched.thread(sender).fault;
        if is_call || fault.is_some() {
            match reply {
                Some(reply) if can_grant || can_grant_reply => {
                    let donate = !matches!(fault, Some(Fault::Timeout { .. }));
                    self.push_reply(sched, sender, receiver, reply, donate);
                }
                _ => sched.set_state(sender, ThreadState::Inactive),
            }
        } else {
            sched.set_state(sender, ThreadState::Running);
            sched.possible_switch_to(sender);
        }
    }

    /// Adds a blocked thread to the queue of its endpoint.
    fn enqueue(&mut self, sched: &mut Scheduler, thread: ThreadId, endpoint: EndpointId) {
        let mut queue = self.endpoints[endpoint].queue();
        sched.wait_in(&mut queue, thread);
        self.endpoints[endpoint] = match sched.thread(thread).state() {
            ThreadState::BlockedOnReceive { .. } => Endpoint::Receiving(queue),
            _ => Endpoint::Sending(queue),
        };
    }

    pub(super) fn dequeue(
        &mut self,
        sched: &mut Scheduler,
        thread: ThreadId,
        endpoint: EndpointId,
    ) {
        let state = &mut self.endpoints[endpoint];
        if let Endpoint::Sending(queue) | Endpoint::Receiving(queue) = state {
            sched.stop_waiting(queue, thread);
            if queue.is_empty() {
                *state = Endpoint::Idle;
            }
        }
    }

    /// Moves a blocked thread behind all threads of its new priority in the queue (`reorderEP`).
    pub(crate) fn requeue(
        &mut self,
        sched: &mut Scheduler,
        thread: ThreadId,
        endpoint: EndpointId,
    ) {
        self.dequeue(sched, thread, endpoint);
        self.enqueue(sched, thread, endpoint);
    }
}
