//! System calls: what each is made of (seL4 manual, *System Calls*; seL4's `api/syscall.c`).

use crate::cap::Cap;
use crate::context::{CAP_REGISTER, INFO_REGISTER, NB_SEND_RECV_DEST, REPLY_REGISTER, Register};
use crate::cspace::LookupFailure;
use crate::event::Next;
use crate::fault::Fault;
use crate::ids::{ReplyId, ThreadId};
use crate::invoke::Invocation;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::message_info::MessageInfo;
use crate::numbers::syscall;
use crate::objects::ThreadState;
use crate::transfer::ExtraCaps;

/// How the first, sending half of a system call is done.
#[derive(Debug, Copy, Clone)]
pub(crate) struct Manner {
    /// The thread waits for an answer.
    pub(crate) call: bool,
    /// The thread waits if it has to, and faults if it cannot send.
    pub(crate) blocking: bool,
    /// The thread lends its scheduling context.
    pub(crate) donate: bool,
    /// A receiving half follows.
    pub(crate) then_receive: bool,
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

/// How the second, receiving half of a system call is done.
#[derive(Debug, Copy, Clone)]
struct Receive {
    /// The thread waits if it has to.
    blocking: bool,
    /// The thread offers a reply object to whoever calls it.
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
    /// Does a system call of the running thread.
    pub(crate) fn syscall(
        &mut self,
        machine: &mut dyn Machine,
        thread: ThreadId,
        number: u64,
    ) -> Next {
        // The debugging calls are free: no time is taken and nobody is scheduled.
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
            syscall::Yield => self.yield_now(machine),
            _ => self.raise(machine, thread, Fault::UnknownSyscall { number }),
        }
    }

    /// Sends to what a register names, or invokes it (`handleInvocation`).
    fn send_half(
        &mut self,
        machine: &mut dyn Machine,
        thread: ThreadId,
        register: Register,
        how: Manner,
    ) {
        let context = &self.threads[thread].context;
        let (address, info) = (context[register], context[INFO_REGISTER]);
        let info = MessageInfo::from_word(info);
        let mut extra_caps = ExtraCaps::default();
        let found = match self.lookup(thread, address) {
            Ok(cap) if info.extra_caps == 0 => Ok(cap),
            Ok(cap) => self.extra_caps(machine, thread, info).map(|caps| {
                extra_caps = caps;
                cap
            }),
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
            length: self.words_with(thread, info.length),
            extra_caps: &extra_caps,
            how,
        };
        let result = self.invoke(machine, cap, &invocation);
        match result {
            Err(error) => {
                if how.call {
                    let (words, count) = error.words();
                    self.answer(machine, thread, error.label(), &words[..count]);
                }
            }
            // An invocation that went through without an answer of its own.
            Ok(()) if self.threads[thread].state == ThreadState::Restart => {
                if how.call {
                    self.answer(machine, thread, 0, &[]);
                }
                self.set_state(thread, ThreadState::Running);
            }
            Ok(()) => {}
        }
    }

    /// Receives from what the capability register names (`handleRecv`).
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

    /// **Errors:** the capability pointer that cannot be received with, and why.
    fn try_receive(
        &mut self,
        machine: &mut dyn Machine,
        thread: ThreadId,
        how: Receive,
    ) -> Result<(), (u64, LookupFailure)> {
        let address = self.threads[thread].context[CAP_REGISTER];
        match self.lookup(thread, address) {
            Ok(Cap::Endpoint(cap)) if cap.can_receive => {
                let reply = if how.with_reply {
                    Some(self.lookup_reply(thread)?)
                } else {
                    None
                };
                self.receive(machine, thread, cap.endpoint, how.blocking, reply);
                Ok(())
            }
            Ok(Cap::Notification(cap))
                if cap.can_receive
                    && self.notifications[cap.notification]
                        .bound_thread
                        .is_none_or(|bound| bound == thread) =>
            {
                self.wait(thread, cap.notification, how.blocking);
                Ok(())
            }
            Ok(_) => Err((address, LookupFailure::MISSING)),
            Err(failure) => Err((address, failure)),
        }
    }

    fn lookup_reply(&self, thread: ThreadId) -> Result<ReplyId, (u64, LookupFailure)> {
        let address = self.threads[thread].context[REPLY_REGISTER];
        match self.lookup(thread, address) {
            Ok(Cap::Reply(reply)) => Ok(reply),
            Ok(_) => Err((address, LookupFailure::MISSING)),
            Err(failure) => Err((address, failure)),
        }
    }
}
