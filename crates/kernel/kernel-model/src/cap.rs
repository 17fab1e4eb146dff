//! Capabilities: references to objects, with the rights of the holder.

use crate::ids::{EndpointId, IrqId, NotificationId, ReplyId, SchedContextId, ThreadId};
use crate::numbers::cap_tag;

/// A capability in a slot of a CSpace (seL4 manual, *Capability-based Access Control*).
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash, Default)]
pub enum Cap {
    /// The slot is empty.
    #[default]
    Null,
    /// A capability to an endpoint.
    Endpoint(EndpointCap),
    /// A capability to a notification.
    Notification(NotificationCap),
    /// A capability to a reply object, with the right to grant.
    Reply(ReplyId),
    /// A capability to a thread.
    Thread(ThreadId),
    /// A capability to a scheduling context.
    SchedContext(SchedContextId),
    /// A capability to the address space of a thread.
    VSpace(ThreadId),
    /// A capability to an IRQ handler.
    IrqHandler(IrqId),
    /// A capability to a CNode of the same CSpace.
    CNode(CNodeCap),
}

impl Cap {
    /// Returns the number that `DebugCapIdentify` returns for the capability.
    pub fn tag(self) -> u64 {
        match self {
            Self::Null => cap_tag::null,
            Self::Endpoint(_) => cap_tag::endpoint,
            Self::Notification(_) => cap_tag::notification,
            Self::Reply(_) => cap_tag::reply,
            Self::Thread(_) => cap_tag::thread,
            Self::SchedContext(_) => cap_tag::sched_context,
            Self::VSpace(_) => cap_tag::vspace,
            Self::IrqHandler(_) => cap_tag::irq_handler,
            Self::CNode(_) => cap_tag::cnode,
        }
    }
}

/// A capability to an endpoint.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub struct EndpointCap {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// The badge that a receiver gets with a message.
    pub badge: u64,
    /// The right to send.
    pub can_send: bool,
    /// The right to receive.
    pub can_receive: bool,
    /// The right to send capabilities, and to call.
    pub can_grant: bool,
    /// The right to call.
    pub can_grant_reply: bool,
}

impl EndpointCap {
    /// Makes a capability with the rights that the Microkit tool gives to endpoint capabilities.
    pub(crate) fn new(endpoint: EndpointId, badge: u64) -> Self {
        Self {
            endpoint,
            badge,
            can_send: true,
            can_receive: true,
            can_grant: true,
            can_grant_reply: false,
        }
    }

    /// Returns whether the capability can be a fault handler (`validFaultHandler`).
    pub fn takes_faults(self) -> bool {
        self.can_send && (self.can_grant || self.can_grant_reply)
    }
}

/// A capability to a notification.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub struct NotificationCap {
    /// The notification.
    pub notification: NotificationId,
    /// The badge that a signal adds, by bitwise OR.
    pub badge: u64,
    /// The right to signal.
    pub can_send: bool,
    /// The right to wait.
    pub can_receive: bool,
}

impl NotificationCap {
    /// Makes a capability with the rights that the Microkit tool gives to notification
    /// capabilities.
    pub(crate) fn new(notification: NotificationId, badge: u64) -> Self {
        Self {
            notification,
            badge,
            can_send: true,
            can_receive: true,
        }
    }
}

/// A capability to a CNode.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub struct CNodeCap {
    /// The index of the CNode in its CSpace.
    pub(crate) node: u8,
    /// The guard: the required value of the next bits of an address.
    pub(crate) guard: u64,
    /// The number of bits of the guard.
    pub(crate) guard_bits: u32,
}
