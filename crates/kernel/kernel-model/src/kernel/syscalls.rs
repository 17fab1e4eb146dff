//! System calls: the sending and receiving half of each (seL4 manual, *System Calls*; seL4's
//! `api/syscall.c`).
//!
//! A system call has a sending half, a receiving half, or both. The sending half invokes a
//! capability. The receiving half waits at an endpoint or a notification.

use super::Kernel;
use crate::cap::Cap;
use crate::context::{CAP_REGISTER, INFO_REGISTER, NB_SEND_RECV_DEST, REPLY_REGISTER, Register};
use crate::cspace::LookupFailure;
use crate::error::InvocationError;
use crate::event::Next;
use crate::fault::Fault;
use crate::ids::{ReplyId, ThreadId};
use crate::invoke::{Invocation, irq_handler, sched_context, tcb, vspace};
use crate::ipc::{ReceiveMode, SendMode};
use crate::machine::Machine;
use crate::message_info::MessageInfo;
use crate::messages::{ExtraCaps, Messages};
use crate::numbers::syscall;
use crate::sched::ThreadState;

/// The options of the sending half of a system call.
#[derive(Debug, Copy, Clone)]
struct Manner {
    /// Whether the thread waits for an answer.
    call: bool,
    /// Whether the thread waits for a receiver, and faults if the lookup of the capability fails.
    blocking: bool,
    /// Whether the thread donates its scheduling context.
    donate: bool,
    /// Whether a receiving half follows.
    then_receive: bool,
}

const SEND: Manner = Manner {
    call: false,
    blocking: true,
    donate: false,
    then_receive: false,
};

const NB_SEND: Manner = Manner {
    blocking: false,
    ..SEND
};

const CALL: Manner = Manner {
    call: true,
    donate: true,
    ..SEND
};

const SEND_THEN_RECEIVE: Manner = Manner {
    donate: true,
    then_receive: true,
    ..NB_SEND
};

/// The options of the receiving half of a system call.
#[derive(Debug, Copy, Clone)]
struct Receive {
    /// Whether the thread waits for a sender.
    blocking: bool,
    /// Whether the thread names a reply object to hold the sender of a call.
    with_reply: bool,
}

const RECV: Receive = Receive {
    blocking: true,
    with_reply: true,
};

const WAIT: Receive = Receive {
    blocking: true,
    with_reply: false,
};

impl Kernel {
    /// Handles a system call of the running thread.
    pub(super) fn syscall(
        &mut self,
        machine: &mut dyn Machine,
        thread: ThreadId,
        number: u64,
    ) -> Next {
        // Debugging calls take no time: the clock is not read, and the scheduler does not run.
        if let Some(next) = self.debug_syscall(machine, thread, number) {
            return next;
        }
        if self.enter(machine) {
            self.api_syscall(machine, thread, number);
        }
        self.leave(machine)
    }

    fn api_syscall(&mut self, machine: &mut dyn Machine, thread: ThreadId, number: u64) {
        match number as i64 {
            syscall::Send => self.send_half(machine, thread, CAP_REGISTER, SEND),
            syscall::NBSend => self.send_half(machine, thread, CAP_REGISTER, NB_SEND),
            syscall::Call => self.send_half(machine, thread, CAP_REGISTER, CALL),
            syscall::Recv => self.receive_half(machine, thread, RECV),
            syscall::Wait => self.receive_half(machine, thread, WAIT),
            syscall::NBRecv => {
                let how = Receive {
                    blocking: false,
                    ..RECV
                };
                self.receive_half(machine, thread, how);
            }
            syscall::NBWait => {
                let how = Receive {
                    blocking: false,
                    ..WAIT
                };
                self.receive_half(machine, thread, how);
            }
            syscall::ReplyRecv => {
                self.send_half(machine, thread, REPLY_REGISTER, SEND_THEN_RECEIVE);
                self.receive_half(machine, thread, RECV);
            }
            syscall::NBSendRecv => {
                self.send_half(machine, thread, NB_SEND_RECV_DEST, SEND_THEN_RECEIVE);
                self.receive_half(machine, thread, RECV);
            }
            syscall::NBSendWait => {
                self.send_half(machine, thread, REPLY_REGISTER, SEND_THEN_RECEIVE);
                self.receive_half(machine, thread, WAIT);
            }
            syscall::Yield => self.sched.yield_now(),
            _ => self.raise(machine, thread, Fault::UnknownSyscall { number }),
        }
    }

    /// Sends a message to the capability that a register names, or invokes that capability
    /// (`handleInvocation`).
    fn send_half(
        &mut self,
        machine: &mut dyn Machine,
        thread: ThreadId,
        register: Register,
        how: Manner,
    ) {
        let caller = self.sched.thread(thread);
        let address = caller.context[register];
        let info = MessageInfo::from_word(caller.context[INFO_REGISTER]);
        let length = caller.message_words(info.length);
        let mut extra_caps = ExtraCaps::default();
        let found = match self.system.lookup(thread, address) {
            Ok(cap) if info.extra_caps == 0 => Ok(cap),
            Ok(cap) => {
                let (sched, _, _, mut messages) = self.parts(machine);
                let caps = messages.extra_caps(sched.threads(), thread, info);
                caps.map(|caps| {
                    extra_caps = caps;
                    cap
                })
            }
            Err(failure) => Err(Fault::Capability {
                address,
                receiving: false,
                failure,
            }),
        };
        let cap = match found {
            Ok(found) => found,
            Err(fault) => {
                if how.blocking {
                    self.raise(machine, thread, fault);
                }
                return;
            }
        };
        let invocation = Invocation {
            caller: thread,
            label: info.label,
            length,
            extra_caps: &extra_caps,
            call: how.call,
        };
        // If the invocation suspends its own caller, the resumed caller makes the system call
        // again.
        self.sched.set_state(thread, ThreadState::Restart);
        let result = self.invoke(machine, cap, how, &invocation);
        match result {
            Err(error) => {
                let (words, count) = error.words();
                self.answer(machine, thread, how, error.label(), &words[..count]);
            }
            // In any other state, the caller waits or already has an answer of the invocation.
            Ok(()) if self.sched.thread(thread).state() == ThreadState::Restart => {
                self.answer(machine, thread, how, 0, &[]);
            }
            Ok(()) => {}
        }
    }

    /// Completes a sending half with an answer from the kernel. Only a call waits for an answer.
    fn answer(
        &mut self,
        machine: &mut dyn Machine,
        thread: ThreadId,
        how: Manner,
        label: u64,
        words: &[u64],
    ) {
        if how.call {
            let (sched, _, _, mut messages) = self.parts(machine);
            messages.answer(sched.threads_mut(), thread, label, words);
        }
        self.sched.set_state(thread, ThreadState::Running);
    }

    /// Performs the operation that a message to a capability requests (`decodeInvocation`).
    ///
    /// If the caller's state is still `Restart` afterwards, the caller has no answer yet.
    fn invoke(
        &mut self,
        machine: &mut dyn Machine,
        cap: Cap,
        how: Manner,
        invocation: &Invocation<'_>,
    ) -> Result<(), InvocationError> {
        let caller = invocation.caller;
        let Self {
            system,
            sched,
            ipc,
            notifications,
            irqs,
            monitor,
            halted: _,
        } = self;
        let messages = &mut Messages {
            system,
            monitor,
            machine,
        };
        match cap {
            Cap::Endpoint(cap) if cap.can_send => {
                let mode = SendMode {
                    cap,
                    blocking: how.blocking,
                    call: how.call,
                    donate: how.donate,
                };
                ipc.send(sched, messages, caller, mode);
                Ok(())
            }
            Cap::Notification(cap) if cap.can_send => {
                notifications.signal(sched, ipc, cap.notification, cap.badge);
                Ok(())
            }
            Cap::Reply(reply) => {
                ipc.reply(sched, messages, caller, reply);
                Ok(())
            }
            Cap::IrqHandler(irq) => irq_handler::invoke(irqs, messages, irq, invocation),
            Cap::VSpace(thread) => vspace::invoke(sched, messages, thread, invocation),
            Cap::Thread(thread) if !how.then_receive => {
                tcb::invoke(sched, ipc, notifications, messages, thread, invocation)
            }
            Cap::SchedContext(sched_context) if !how.then_receive => sched_context::invoke(
                sched,
                ipc,
                notifications,
                messages,
                sched_context,
                invocation,
            ),
            Cap::Null
            | Cap::CNode(_)
            | Cap::Endpoint(_)
            | Cap::Notification(_)
            | Cap::Thread(_)
            | Cap::SchedContext(_) => Err(InvocationError::InvalidCapability(0)),
        }
    }

    /// Receives through the capability that the capability register names (`handleRecv`).
    fn receive_half(&mut self, machine: &mut dyn Machine, thread: ThreadId, how: Receive) {
        let received = self.try_receive(machine, thread, how);
        if let Err((address, failure)) = received {
            let fault = Fault::Capability {
                address,
                receiving: true,
                failure,
            };
            self.raise(machine, thread, fault);
        }
    }

    /// # Errors
    ///
    /// Returns the capability pointer that cannot be received from, and the reason.
    fn try_receive(
        &mut self,
        machine: &mut dyn Machine,
        thread: ThreadId,
        how: Receive,
    ) -> Result<(), (u64, LookupFailure)> {
        let address = self.sched.thread(thread).context[CAP_REGISTER];
        match self.system.lookup(thread, address) {
            Ok(Cap::Endpoint(cap)) if cap.can_receive => {
                let reply = if how.with_reply {
                    Some(self.lookup_reply(thread)?)
                } else {
                    None
                };
                let mode = ReceiveMode {
                    endpoint: cap.endpoint,
                    blocking: how.blocking,
                    reply,
                };
                let (sched, ipc, notifications, mut messages) = self.parts(machine);
                ipc.receive(sched, notifications, &mut messages, thread, mode);
                Ok(())
            }
            Ok(Cap::Notification(cap))
                if cap.can_receive
                    && self
                        .notifications
                        .get(cap.notification)
                        .bound_thread
                        .is_none_or(|bound| bound == thread) =>
            {
                self.notifications
                    .wait(&mut self.sched, thread, cap.notification, how.blocking);
                Ok(())
            }
            Ok(_) => Err((address, LookupFailure::MISSING)),
            Err(failure) => Err((address, failure)),
        }
    }

    fn lookup_reply(&self, thread: ThreadId) -> Result<ReplyId, (u64, LookupFailure)> {
        let address = self.sched.thread(thread).context[REPLY_REGISTER];
        match self.system.lookup(thread, address) {
            Ok(Cap::Reply(reply)) => Ok(reply),
            Ok(_) => Err((address, LookupFailure::MISSING)),
            Err(failure) => Err((address, failure)),
        }
    }
}
