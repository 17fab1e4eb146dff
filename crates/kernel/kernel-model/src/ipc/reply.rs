//! Reply objects: the callers that wait for a reply, and the scheduling contexts that return with
//! the reply (seL4 manual, *Passive Servers*; seL4's `object/reply.c`).

use super::Ipc;
use crate::context::INFO_REGISTER;
use crate::fault::Fault;
use crate::ids::{ReplyId, SchedContextId, ThreadId};
use crate::message_info::MessageInfo;
use crate::messages::Messages;
use crate::sched::{Scheduler, ThreadState};

/// A reply object (seL4 manual, *Message Passing*). The object holds a caller until the reply.
///
/// Each donation of a scheduling context puts a reply object on a stack. The scheduling context is
/// on top of the stack.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Reply {
    /// The caller, or the thread that waits to receive with this reply object.
    pub thread: Option<ThreadId>,
    /// The reply object below this object in the stack.
    pub below: Option<ReplyId>,
    /// The element above this object in the stack.
    pub above: Option<Above>,
}

/// The element above a reply object in the stack.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub enum Above {
    /// Another reply object, added when the callee donated the scheduling context further.
    Reply(ReplyId),
    /// The scheduling context. The reply object is the top of the stack.
    SchedContext(SchedContextId),
}

impl Ipc {
    /// Makes a caller wait for a reply, and donates its scheduling context to a callee that has
    /// none (`reply_push`).
    pub(super) fn push_reply(
        &mut self,
        sched: &mut Scheduler,
        caller: ThreadId,
        callee: ThreadId,
        reply: ReplyId,
        may_donate: bool,
    ) {
        self.replies[reply].thread = Some(caller);
        let donated = sched.thread(caller).sched_context();
        sched.set_state(caller, ThreadState::BlockedOnReply { reply });
        let Some(donated) = donated else { return };
        if !may_donate || sched.thread(callee).sched_context().is_some() {
            return;
        }
        let below = sched.sched_context_mut(donated).reply.replace(reply);
        if let Some(below) = below {
            self.replies[below].above = Some(Above::Reply(reply));
        }
        self.replies[reply].below = below;
        self.replies[reply].above = Some(Above::SchedContext(donated));
        sched.donate(donated, callee);
    }

    /// Replies to the caller that a reply object holds, if any (`doReplyTransfer`).
    pub(crate) fn reply(
        &mut self,
        sched: &mut Scheduler,
        messages: &mut Messages<'_>,
        sender: ThreadId,
        reply: ReplyId,
    ) {
        let Some(receiver) = self.replies[reply].thread else {
            return;
        };
        if !matches!(
            sched.thread(receiver).state(),
            ThreadState::BlockedOnReply { .. }
        ) {
            return;
        }
        self.pop_reply(sched, reply, receiver);
        let fault = sched.thread_mut(receiver).fault.take();
        match fault {
            None => {
                messages.transfer(sched, sender, None, 0, true, receiver);
                sched.set_state(receiver, ThreadState::Running);
            }
            Some(fault) => {
                let restarts = transfer_fault_reply(sched, messages, sender, receiver, fault);
                let state = if restarts {
                    ThreadState::Restart
                } else {
                    ThreadState::Inactive
                };
                sched.set_state(receiver, state);
            }
        }
        if let Some(sched_context) = sched.thread(receiver).sched_context()
            && sched.thread(receiver).is_runnable()
        {
            let timed_out = matches!(fault, Some(Fault::Timeout { .. }));
            if sched.is_released(sched_context) {
                sched.possible_switch_to(receiver);
            } else if sched.thread(receiver).timeout_handler.is_some() && !timed_out {
                self.raise_timeout(sched, messages, receiver);
            } else {
                sched.postpone(sched_context);
            }
        }
    }

    /// Releases the caller that a reply object holds. If this object is the top of its stack, the
    /// caller gets its scheduling context back (`reply_remove`).
    fn pop_reply(&mut self, sched: &mut Scheduler, reply: ReplyId, caller: ThreadId) {
        let below = self.replies[reply].below.take();
        match self.replies[reply].above.take() {
            Some(Above::SchedContext(donated)) => {
                sched.sched_context_mut(donated).reply = below;
                if let Some(below) = below {
                    self.replies[below].above = Some(Above::SchedContext(donated));
                }
                // Another scheduling context may have been bound to the caller in the meantime.
                if sched.thread(caller).sched_context().is_none() {
                    sched.donate(donated, caller);
                }
            }
            above => self.break_stack(sched, above, below),
        }
        self.unlink_reply(sched, reply);
    }

    /// Releases the caller that a reply object holds, without returning a scheduling context
    /// (`reply_remove_tcb`).
    pub(super) fn abandon_reply(&mut self, sched: &mut Scheduler, reply: ReplyId) {
        let below = self.replies[reply].below.take();
        let above = self.replies[reply].above.take();
        self.break_stack(sched, above, below);
        self.unlink_reply(sched, reply);
    }

    /// Breaks a stack in two at a removed reply object. The scheduling context no longer returns to
    /// the callers below.
    fn break_stack(&mut self, sched: &mut Scheduler, above: Option<Above>, below: Option<ReplyId>) {
        match above {
            Some(Above::SchedContext(donated)) => sched.sched_context_mut(donated).reply = None,
            Some(Above::Reply(above)) => self.replies[above].below = None,
            None => {}
        }
        if let Some(below) = below {
            self.replies[below].above = None;
        }
    }

    /// Unlinks a reply object from its caller, or from the thread that waits to receive with the
    /// object. The thread becomes inactive (`reply_unlink`).
    pub(super) fn unlink_reply(&mut self, sched: &mut Scheduler, reply: ReplyId) {
        if let Some(thread) = self.replies[reply].thread.take() {
            sched.set_state(thread, ThreadState::Inactive);
        }
    }

    /// Unbinds a scheduling context from the reply object on top of its stack, if any. The
    /// scheduling context will not return to its donors (`schedContext_unbindReply`).
    pub(crate) fn unbind_sched_context(
        &mut self,
        sched: &mut Scheduler,
        sched_context: SchedContextId,
    ) {
        if let Some(reply) = sched.sched_context_mut(sched_context).reply.take() {
            self.replies[reply].above = None;
        }
    }
}

/// Sets the registers of a faulted thread from a reply. Returns whether the thread restarts
/// (`handleFaultReply`).
fn transfer_fault_reply(
    sched: &mut Scheduler,
    messages: &mut Messages<'_>,
    sender: ThreadId,
    receiver: ThreadId,
    fault: Fault,
) -> bool {
    let threads = sched.threads_mut();
    let info = MessageInfo::from_word(threads[sender].context[INFO_REGISTER]);
    let count = threads[sender].message_words(info.length);
    for (index, register) in fault.reply_registers().iter().enumerate().take(count) {
        let word = messages.word(threads, sender, index);
        threads[receiver].context.set_sanitised(*register, word);
    }
    fault.restarts(info.label)
}
