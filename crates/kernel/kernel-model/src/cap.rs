//! Capabilities: what a thread may do with which object.

use crate::ids::{EndpointId, IrqId, NotificationId, ReplyId, SchedContextId, ThreadId};
use crate::numbers::cap_tag;

/// A capability, as it lies in a slot of a CSpace (seL4 manual, *Capability-based Access Control*).
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash, Default)]
pub enum Cap {
    /// The slot is empty.
    #[default]
    Null,
    /// To an endpoint.
    Endpoint(EndpointCap),
    /// To a notification.
    Notification(NotificationCap),
    /// To a reply object, through which capabilities could be sent too.
    Reply(ReplyId),
    /// To a thread.
    Thread(ThreadId),
    /// To a scheduling context.
    SchedContext(SchedContextId),
    /// To the address space of a thread.
    VSpace(ThreadId),
    /// To an interrupt.
    IrqHandler(IrqId),
    /// To a CNode of the CSpace in which it lies.
    CNode(CNodeCap),
}

impl Cap {
    /// What `DebugCapIdentify` says about it.
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
    /// Which one.
    pub endpoint: EndpointId,
    /// What a receiver is told about who sends with it.
    pub badge: u64,
    /// It may be sent with.
    pub can_send: bool,
    /// It may be received with.
    pub can_receive: bool,
    /// It may be sent with capabilities, and called.
    pub can_grant: bool,
    /// It may be called.
    pub can_grant_reply: bool,
}

impl EndpointCap {
    /// With the rights that the builder gives every endpoint capability.
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

    /// Whether a fault may be sent with it (`validFaultHandler`).
    pub fn takes_faults(self) -> bool {
        self.can_send && (self.can_grant || self.can_grant_reply)
    }
}

/// A capability to a notification.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub struct NotificationCap {
    /// Which one.
    pub notification: NotificationId,
    /// The bits that signalling with it sets.
    pub badge: u64,
    /// It may be signalled with.
    pub can_send: bool,
    /// It may be waited with.
    pub can_receive: bool,
}

impl NotificationCap {
    /// With the rights that the builder gives every notification capability.
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
    /// Its place in its CSpace.
    pub(crate) node: u8,
    /// What the next bits of an address must be.
    pub(crate) guard: u64,
    /// How many bits those are.
    pub(crate) guard_bits: u32,
}
