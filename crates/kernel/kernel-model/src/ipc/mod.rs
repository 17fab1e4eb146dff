//! IPC: endpoints connect senders and receivers, and reply objects hold callers (seL4 manual,
//! *Message Passing*).
//!
//! The state of endpoints and reply objects is private to this module. The parameters of a function
//! show the other state that it changes: [`Scheduler`] if a thread blocks or wakes, [`Messages`] if
//! words are transferred, and [`Notifications`] if a receiver may get a signal instead of a
//! message.

mod endpoint;
mod raise;
mod reply;

pub use endpoint::Endpoint;
pub(crate) use endpoint::{ReceiveMode, SendMode};
pub use reply::{Above, Reply};

use crate::ids::{Arena, EndpointId, ReplyId, ThreadId};
use crate::notification::Notifications;
use crate::sched::{Scheduler, ThreadState};

/// All endpoints and reply objects.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Ipc {
    endpoints: Arena<EndpointId, Endpoint>,
    replies: Arena<ReplyId, Reply>,
}

impl Ipc {
    /// Creates an endpoint and a reply object for each thread.
    pub(crate) fn new(threads: usize) -> Self {
        Self {
            endpoints: Arena::new((0..threads).map(|_| Endpoint::Idle)),
            replies: Arena::new((0..threads).map(|_| Reply::default())),
        }
    }

    pub(crate) fn endpoints(&self) -> &Arena<EndpointId, Endpoint> {
        &self.endpoints
    }

    pub(crate) fn replies(&self) -> &Arena<ReplyId, Reply> {
        &self.replies
    }

    /// Clears the fault of a thread. If the thread is blocked, cancels the wait and makes the
    /// thread inactive (`cancelIPC`).
    pub(crate) fn cancel(
        &mut self,
        sched: &mut Scheduler,
        notifications: &mut Notifications,
        thread: ThreadId,
    ) {
        sched.thread_mut(thread).fault = None;
        match sched.thread(thread).state() {
            ThreadState::BlockedOnSend { endpoint, .. } => {
                self.dequeue(sched, thread, endpoint);
                sched.set_state(thread, ThreadState::Inactive);
            }
            ThreadState::BlockedOnReceive { endpoint, reply } => {
                self.dequeue(sched, thread, endpoint);
                if let Some(reply) = reply {
                    self.unlink_reply(sched, reply);
                }
                sched.set_state(thread, ThreadState::Inactive);
            }
            ThreadState::BlockedOnNotification { notification } => {
                notifications.dequeue(sched, thread, notification);
                sched.set_state(thread, ThreadState::Inactive);
            }
            ThreadState::BlockedOnReply { reply } => self.abandon_reply(sched, reply),
            ThreadState::Inactive | ThreadState::Running | ThreadState::Restart => {}
        }
    }
}
