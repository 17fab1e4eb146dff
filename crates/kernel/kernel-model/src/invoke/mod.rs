//! Invocations: what a message to a kernel object asks for (seL4 manual, *API Reference*; seL4's
//! `decodeInvocation`).
//!
//! Each kind of object first looks at everything that could be wrong, in seL4's order, and only
//! then does anything. What is wrong goes back to the caller.

mod irq_handler;
mod sched_context;
mod tcb;
mod vspace;

use crate::cap::Cap;
use crate::error::InvocationError;
use crate::ids::ThreadId;
use crate::ipc::SendMode;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::objects::ThreadState;
use crate::syscalls::Manner;
use crate::transfer::ExtraCaps;

/// A message to a capability.
#[derive(Debug)]
pub(crate) struct Invocation<'a> {
    /// Whose message.
    pub(crate) caller: ThreadId,
    /// What it asks for.
    pub(crate) label: u64,
    /// How many words it has.
    pub(crate) length: usize,
    /// The capabilities that it names.
    pub(crate) extra_caps: &'a ExtraCaps,
    /// How it is sent.
    pub(crate) how: Manner,
}

impl Invocation<'_> {
    /// The first capability that the message names.
    fn first_cap(&self) -> Result<Cap, InvocationError> {
        self.extra_caps[0].ok_or(InvocationError::TruncatedMessage)
    }

    /// All capabilities that a message can name.
    fn all_caps(&self) -> Result<[Cap; 3], InvocationError> {
        match *self.extra_caps {
            [Some(first), Some(second), Some(third)] => Ok([first, second, third]),
            _ => Err(InvocationError::TruncatedMessage),
        }
    }

    /// Checks that the message has so many words.
    fn needs_words(&self, count: usize) -> Result<(), InvocationError> {
        if self.length < count {
            return Err(InvocationError::TruncatedMessage);
        }
        Ok(())
    }
}

impl Kernel {
    /// Does what a message to a capability asks for.
    ///
    /// If it goes through, the caller's state says whether it has its answer: `Restart` if not.
    pub(crate) fn invoke(
        &mut self,
        machine: &mut dyn Machine,
        cap: Cap,
        invocation: &Invocation<'_>,
    ) -> Result<(), InvocationError> {
        let how = invocation.how;
        match cap {
            Cap::Endpoint(cap) if cap.can_send => {
                self.accept(invocation);
                let how = SendMode {
                    cap,
                    blocking: how.blocking,
                    call: how.call,
                    donate: how.donate,
                };
                self.send(machine, invocation.caller, how);
                Ok(())
            }
            Cap::Notification(cap) if cap.can_send => {
                self.accept(invocation);
                self.signal(cap.notification, cap.badge);
                Ok(())
            }
            Cap::Reply(reply) => {
                self.accept(invocation);
                self.reply_to_caller(machine, invocation.caller, reply);
                Ok(())
            }
            Cap::IrqHandler(irq) => self.invoke_irq_handler(machine, irq, invocation),
            Cap::VSpace(thread) => self.invoke_vspace(machine, thread, invocation),
            Cap::Thread(thread) if !how.then_receive => {
                self.invoke_tcb(machine, thread, invocation)
            }
            Cap::SchedContext(sched_context) if !how.then_receive => {
                self.invoke_sched_context(machine, sched_context, invocation)
            }
            Cap::Null
            | Cap::CNode(_)
            | Cap::Endpoint(_)
            | Cap::Notification(_)
            | Cap::Thread(_)
            | Cap::SchedContext(_) => Err(InvocationError::InvalidCapability(0)),
        }
    }

    /// Nothing is wrong with the message. Until it has gone through, the caller would start over.
    fn accept(&mut self, invocation: &Invocation<'_>) {
        self.set_state(invocation.caller, ThreadState::Restart);
    }

    /// Gives the caller an answer of the invocation's own, if it waits for one.
    fn answer_call(
        &mut self,
        machine: &mut dyn Machine,
        invocation: &Invocation<'_>,
        words: &[u64],
    ) {
        if invocation.how.call {
            self.answer(machine, invocation.caller, 0, words);
        }
        self.set_state(invocation.caller, ThreadState::Running);
    }

    /// A word of the message.
    fn argument(
        &self,
        machine: &mut dyn Machine,
        invocation: &Invocation<'_>,
        index: usize,
    ) -> u64 {
        self.message_word(machine, invocation.caller, index)
    }
}
