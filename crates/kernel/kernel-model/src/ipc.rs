//! Sending and receiving through endpoints, and giving up either (seL4 manual, *Message Passing*;
//! seL4's `object/endpoint.c`).

use crate::cap::EndpointCap;
use crate::context::BADGE_REGISTER;
use crate::fault::Fault;
use crate::ids::{EndpointId, ReplyId, ThreadId};
use crate::kernel::Kernel;
use crate::machine::{Machine, Report};
use crate::objects::{Endpoint, NotificationState, ThreadState};

/// How a message is sent.
#[derive(Debug, Copy, Clone)]
pub(crate) struct SendMode {
    /// With which capability.
    pub(crate) cap: EndpointCap,
    /// The sender waits until someone receives.
    pub(crate) blocking: bool,
    /// The sender waits for a reply.
    pub(crate) call: bool,
    /// The sender lends its scheduling context to a receiver that has none.
    pub(crate) donate: bool,
}

impl Kernel {
    /// Sends what is in a thread's registers and buffer, or the fault that it waits to have handled
    /// (`sendIPC`).
    pub(crate) fn send(&mut self, machine: &mut dyn Machine, sender: ThreadId, how: SendMode) {
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
                self.set_state(sender, state);
                self.enqueue_at_endpoint(sender, endpoint);
            }
            return;
        };
        let Some(receiver) = queue.first() else {
            return;
        };
        let ThreadState::BlockedOnReceive { reply, .. } = self.threads[receiver].state else {
            return;
        };
        self.dequeue_from_endpoint(receiver, endpoint);
        self.transfer(machine, sender, Some(endpoint), badge, can_grant, receiver);
        if let Some(reply) = reply {
            self.unlink_reply(reply);
        }
        if how.call || self.threads[sender].fault.is_some() {
            match reply {
                Some(reply) if can_grant || can_grant_reply => {
                    self.push_reply(sender, receiver, reply, how.donate);
                }
                _ => self.set_state(sender, ThreadState::Inactive),
            }
        } else if how.donate
            && self.threads[receiver].sched_context.is_none()
            && let Some(sched_context) = self.threads[sender].sched_context
        {
            self.donate(sched_context, receiver);
        }
        self.set_state(receiver, ThreadState::Running);
        self.may_run(receiver);
    }

    /// Receives from an endpoint, or a signal to the thread's own notification (`receiveIPC`).
    pub(crate) fn receive(
        &mut self,
        machine: &mut dyn Machine,
        receiver: ThreadId,
        endpoint: EndpointId,
        blocking: bool,
        reply: Option<ReplyId>,
    ) {
        // A reply object that still holds someone lets go of them: they are not replied to any
        // more.
        if let Some(reply) = reply
            && let Some(holds) = self.replies[reply].thread
            && holds != receiver
        {
            self.cancel_ipc(holds);
        }
        let notification = self.threads[receiver].bound_notification;
        if let Some(notification) = notification {
            if let NotificationState::Active(_) = self.notifications[notification].state {
                self.take_signal(receiver, notification);
                return;
            }
            if blocking {
                self.return_sched_context(receiver, notification);
            }
        }
        match self.endpoints[endpoint] {
            Endpoint::Sending(queue) => {
                if let Some(sender) = queue.first() {
                    self.receive_from(machine, receiver, sender, reply);
                }
            }
            Endpoint::Idle | Endpoint::Receiving(_) if blocking => {
                self.set_state(receiver, ThreadState::BlockedOnReceive { endpoint, reply });
                if let Some(reply) = reply {
                    self.replies[reply].thread = Some(receiver);
                }
                self.enqueue_at_endpoint(receiver, endpoint);
            }
            Endpoint::Idle | Endpoint::Receiving(_) => self.receive_nothing(receiver),
        }
    }

    /// Takes the message of a thread that waits to send it.
    fn receive_from(
        &mut self,
        machine: &mut dyn Machine,
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
        } = self.threads[sender].state
        else {
            return;
        };
        self.dequeue_from_endpoint(sender, endpoint);
        self.transfer(machine, sender, Some(endpoint), badge, can_grant, receiver);
        let fault = self.threads[sender].fault;
        if is_call || fault.is_some() {
            match reply {
                Some(reply) if can_grant || can_grant_reply => {
                    let donate = !matches!(fault, Some(Fault::Timeout { .. }));
                    self.push_reply(sender, receiver, reply, donate);
                }
                _ => self.set_state(sender, ThreadState::Inactive),
            }
        } else {
            self.set_state(sender, ThreadState::Running);
            self.may_run(sender);
        }
    }

    /// Tells a thread that there was nothing to receive.
    pub(crate) fn receive_nothing(&mut self, receiver: ThreadId) {
        self.threads[receiver].context[BADGE_REGISTER] = 0;
    }

    /// A thread did something that it cannot go on from: tells its fault handler, or stops it if it
    /// has none (`handleFault`).
    pub(crate) fn raise(&mut self, machine: &mut dyn Machine, thread: ThreadId, fault: Fault) {
        match self.threads[thread].fault_handler {
            Some(handler) => {
                let donate = self.threads[thread].sched_context.is_some();
                self.send_fault(machine, thread, fault, handler, donate);
            }
            None => {
                self.set_state(thread, ThreadState::Inactive);
                machine.report(Report::NoFaultHandler { thread, fault });
            }
        }
    }

    pub(crate) fn send_fault(
        &mut self,
        machine: &mut dyn Machine,
        thread: ThreadId,
        fault: Fault,
        handler: EndpointCap,
        donate: bool,
    ) {
        self.threads[thread].fault = Some(fault);
        let how = SendMode {
            cap: handler,
            blocking: true,
            call: false,
            donate,
        };
        self.send(machine, thread, how);
    }

    /// Makes a thread that waits for another inactive, and forgets its fault (`cancelIPC`).
    pub(crate) fn cancel_ipc(&mut self, thread: ThreadId) {
        self.threads[thread].fault = None;
        match self.threads[thread].state {
            ThreadState::BlockedOnSend { endpoint, .. } => {
                self.dequeue_from_endpoint(thread, endpoint);
                self.set_state(thread, ThreadState::Inactive);
            }
            ThreadState::BlockedOnReceive { endpoint, reply } => {
                self.dequeue_from_endpoint(thread, endpoint);
                if let Some(reply) = reply {
                    self.unlink_reply(reply);
                }
                self.set_state(thread, ThreadState::Inactive);
            }
            ThreadState::BlockedOnNotification { notification } => {
                self.dequeue_from_notification(thread, notification);
                self.set_state(thread, ThreadState::Inactive);
            }
            ThreadState::BlockedOnReply { reply } => self.abandon_reply(reply),
            ThreadState::Inactive | ThreadState::Running | ThreadState::Restart => {}
        }
    }

    /// Puts a thread that waits at an endpoint, as its state says, into the endpoint's queue.
    fn enqueue_at_endpoint(&mut self, thread: ThreadId, endpoint: EndpointId) {
        let mut queue = self.endpoints[endpoint].queue();
        let priority = self.threads[thread].priority;
        queue.insert(&mut self.threads, thread, |other| other.priority < priority);
        self.endpoints[endpoint] = match self.threads[thread].state {
            ThreadState::BlockedOnReceive { .. } => Endpoint::Receiving(queue),
            _ => Endpoint::Sending(queue),
        };
    }

    fn dequeue_from_endpoint(&mut self, thread: ThreadId, endpoint: EndpointId) {
        let state = &mut self.endpoints[endpoint];
        if let Endpoint::Sending(queue) | Endpoint::Receiving(queue) = state {
            queue.remove(&mut self.threads, thread);
            if queue.is_empty() {
                *state = Endpoint::Idle;
            }
        }
    }

    /// Gives a thread the place in an endpoint's queue that its priority asks for, behind others of
    /// the same (`reorderEP`).
    pub(crate) fn requeue_at_endpoint(&mut self, thread: ThreadId, endpoint: EndpointId) {
        self.dequeue_from_endpoint(thread, endpoint);
        self.enqueue_at_endpoint(thread, endpoint);
    }
}
