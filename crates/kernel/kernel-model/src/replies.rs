//! Who waits for a reply, and whose scheduling context comes back with it (seL4 manual, *Message
//! Passing*, *Passive Servers*; seL4's `object/reply.c`).

use crate::context::INFO_REGISTER;
use crate::fault::Fault;
use crate::ids::{ReplyId, ThreadId};
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::message_info::MessageInfo;
use crate::objects::{Above, ThreadState};

impl Kernel {
    /// Lets a caller wait for a reply, and lends its scheduling context to a callee that has none
    /// (`reply_push`).
    pub(crate) fn push_reply(
        &mut self,
        caller: ThreadId,
        callee: ThreadId,
        reply: ReplyId,
        may_donate: bool,
    ) {
        self.replies[reply].thread = Some(caller);
        let lent = self.threads[caller].sched_context;
        self.set_state(caller, ThreadState::BlockedOnReply { reply });
        let Some(lent) = lent else { return };
        if !may_donate || self.threads[callee].sched_context.is_some() {
            return;
        }
        let below = self.sched_contexts[lent].reply.replace(reply);
        if let Some(below) = below {
            self.replies[below].above = Some(Above::Reply(reply));
        }
        self.replies[reply].below = below;
        self.replies[reply].above = Some(Above::SchedContext(lent));
        self.donate(lent, callee);
    }

    /// Replies to the caller that a reply object holds, if it holds one (`doReplyTransfer`).
    pub(crate) fn reply_to_caller(
        &mut self,
        machine: &mut dyn Machine,
        sender: ThreadId,
        reply: ReplyId,
    ) {
        let Some(receiver) = self.replies[reply].thread else {
            return;
        };
        if !matches!(
            self.threads[receiver].state,
            ThreadState::BlockedOnReply { .. }
        ) {
            return;
        }
        self.pop_reply(reply, receiver);
        let fault = self.threads[receiver].fault.take();
        match fault {
            None => {
                self.transfer(machine, sender, None, 0, true, receiver);
                self.set_state(receiver, ThreadState::Running);
            }
            Some(fault) => {
                let restarts = self.transfer_fault_reply(machine, sender, receiver, fault);
                let state = if restarts {
                    ThreadState::Restart
                } else {
                    ThreadState::Inactive
                };
                self.set_state(receiver, state);
            }
        }
        if let Some(sched_context) = self.threads[receiver].sched_context
            && self.threads[receiver].is_runnable()
        {
            let timed_out = matches!(fault, Some(Fault::Timeout { .. }));
            if self.is_released(sched_context) {
                self.may_run(receiver);
            } else if self.threads[receiver].timeout_handler.is_some() && !timed_out {
                self.raise_timeout(machine, receiver, sched_context);
            } else {
                self.postpone(sched_context);
            }
        }
    }

    /// Sets the registers that a reply to a fault sets. Returns whether the thread starts over
    /// (`handleFaultReply`).
    fn transfer_fault_reply(
        &mut self,
        machine: &mut dyn Machine,
        sender: ThreadId,
        receiver: ThreadId,
        fault: Fault,
    ) -> bool {
        let info = MessageInfo::from_word(self.threads[sender].context[INFO_REGISTER]);
        let count = self.words_with(sender, info.length);
        for (index, register) in fault.reply_registers().iter().enumerate().take(count) {
            let word = self.message_word(machine, sender, index);
            self.threads[receiver]
                .context
                .set_sanitised(*register, word);
        }
        fault.restarts(info.label)
    }

    /// Lets go of the caller that a reply object holds, who gets back a scheduling context that was
    /// lent through it and not lent on (`reply_remove`).
    fn pop_reply(&mut self, reply: ReplyId, caller: ThreadId) {
        let below = self.replies[reply].below.take();
        match self.replies[reply].above.take() {
            Some(Above::SchedContext(lent)) => {
                self.sched_contexts[lent].reply = below;
                if let Some(below) = below {
                    self.replies[below].above = Some(Above::SchedContext(lent));
                }
                // Unless someone has given it another in the meantime.
                if self.threads[caller].sched_context.is_none() {
                    self.donate(lent, caller);
                }
            }
            above => self.break_stack(above, below),
        }
        self.unlink_reply(reply);
    }

    /// Lets go of the caller that a reply object holds, who gets nothing back
    /// (`reply_remove_tcb`).
    pub(crate) fn abandon_reply(&mut self, reply: ReplyId) {
        let below = self.replies[reply].below.take();
        let above = self.replies[reply].above.take();
        self.break_stack(above, below);
        self.unlink_reply(reply);
    }

    /// Takes apart a stack where a reply object was taken out: what is below no longer gets back
    /// what is above.
    fn break_stack(&mut self, above: Option<Above>, below: Option<ReplyId>) {
        match above {
            Some(Above::SchedContext(lent)) => self.sched_contexts[lent].reply = None,
            Some(Above::Reply(above)) => self.replies[above].below = None,
            None => {}
        }
        if let Some(below) = below {
            self.replies[below].above = None;
        }
    }

    /// Parts a reply object from the thread that it holds or that receives with it, which is then
    /// inactive (`reply_unlink`).
    pub(crate) fn unlink_reply(&mut self, reply: ReplyId) {
        if let Some(thread) = self.replies[reply].thread.take() {
            self.set_state(thread, ThreadState::Inactive);
        }
    }
}
