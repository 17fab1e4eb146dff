//! Invocations of threads (seL4 manual, *seL4_TCB_Suspend* and those around it; seL4's
//! `object/tcb.c`).

use super::Invocation;
use crate::cap::{Cap, EndpointCap};
use crate::context::{CONTEXT_REGISTERS, FRAME_REGISTERS, Register};
use crate::error::InvocationError;
use crate::ids::{SchedContextId, ThreadId};
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::numbers::{TCB_FLAG_FPU_DISABLED, invocation};
use crate::objects::NotificationState;

/// `ReadRegisters`: stop the thread first.
const READ_SUSPEND: u64 = 1 << 0;
/// `WriteRegisters`: let the thread go on after that.
const WRITE_RESUME: u64 = 1 << 0;
/// `CopyRegisters`: stop the thread that is read.
const COPY_SUSPEND_SOURCE: u64 = 1 << 0;
/// `CopyRegisters`: let the thread that is written go on.
const COPY_RESUME_TARGET: u64 = 1 << 1;
/// `CopyRegisters`: the first registers of a user context.
const COPY_FRAME: u64 = 1 << 2;
/// `CopyRegisters`: the other registers of a user context.
const COPY_INTEGER: u64 = 1 << 3;

/// The words in front of the registers in the message of `WriteRegisters`.
const WRITE_ARGUMENTS: usize = 2;

impl Kernel {
    pub(super) fn invoke_tcb(
        &mut self,
        machine: &mut dyn Machine,
        target: ThreadId,
        invocation: &Invocation<'_>,
    ) -> Result<(), InvocationError> {
        match invocation.label {
            invocation::TCBReadRegisters => self.read_registers(machine, target, invocation),
            invocation::TCBWriteRegisters => self.write_registers(machine, target, invocation),
            invocation::TCBCopyRegisters => self.copy_registers(machine, target, invocation),
            invocation::TCBSuspend => {
                self.accept(invocation);
                self.suspend(target);
                Ok(())
            }
            invocation::TCBResume => {
                self.accept(invocation);
                self.resume(target);
                Ok(())
            }
            invocation::TCBSetPriority => {
                let priority = self.allowed_priority(machine, invocation)?;
                self.accept(invocation);
                self.set_priority(target, priority);
                Ok(())
            }
            invocation::TCBSetMCPriority => {
                let mcp = self.allowed_priority(machine, invocation)?;
                self.accept(invocation);
                self.threads[target].mcp = mcp;
                Ok(())
            }
            invocation::TCBSetSchedParams => self.set_sched_params(machine, target, invocation),
            invocation::TCBSetTimeoutEndpoint => {
                let handler = handler(invocation.first_cap()?, 1)?;
                self.accept(invocation);
                self.threads[target].timeout_handler = handler;
                Ok(())
            }
            invocation::TCBSetIPCBuffer => self.set_ipc_buffer(machine, target, invocation),
            // These want a capability to a CNode, which no PD has.
            invocation::TCBConfigure => {
                invocation.needs_words(3)?;
                invocation.all_caps()?;
                Err(InvocationError::IllegalOperation)
            }
            invocation::TCBSetSpace => {
                invocation.needs_words(2)?;
                invocation.all_caps()?;
                Err(InvocationError::IllegalOperation)
            }
            invocation::TCBBindNotification => self.bind_own_notification(target, invocation),
            invocation::TCBUnbindNotification => {
                let bound = self.threads[target].bound_notification;
                let bound = bound.ok_or(InvocationError::IllegalOperation)?;
                self.accept(invocation);
                self.notifications[bound].bound_thread = None;
                self.threads[target].bound_notification = None;
                Ok(())
            }
            invocation::TCBSetTLSBase => {
                invocation.needs_words(1)?;
                let base = self.argument(machine, invocation, 0);
                self.accept(invocation);
                self.threads[target].context[Register::Tpidr] = base;
                self.reschedule_if_current(target);
                Ok(())
            }
            invocation::TCBSetFlags => {
                invocation.needs_words(2)?;
                let clear = self.argument(machine, invocation, 0);
                let set = self.argument(machine, invocation, 1);
                self.accept(invocation);
                let old = u64::from(self.threads[target].fpu_disabled);
                let new = old & !clear | set & TCB_FLAG_FPU_DISABLED;
                self.threads[target].fpu_disabled = new != 0;
                self.answer_call(machine, invocation, &[new]);
                Ok(())
            }
            _ => Err(InvocationError::IllegalOperation),
        }
    }

    /// The registers of a running thread are loaded when it is scheduled.
    fn reschedule_if_current(&mut self, target: ThreadId) {
        if self.scheduler.current == Some(target) {
            self.reschedule();
        }
    }

    fn read_registers(
        &mut self,
        machine: &mut dyn Machine,
        target: ThreadId,
        invocation: &Invocation<'_>,
    ) -> Result<(), InvocationError> {
        invocation.needs_words(2)?;
        let flags = self.argument(machine, invocation, 0);
        let count = self.argument(machine, invocation, 1);
        let all = CONTEXT_REGISTERS.len();
        let count = usize::try_from(count)
            .ok()
            .filter(|count| (1..=all).contains(count))
            .ok_or(InvocationError::RangeError {
                min: 1,
                max: all as u64,
            })?;
        if target == invocation.caller {
            return Err(InvocationError::IllegalOperation);
        }
        self.accept(invocation);
        if flags & READ_SUSPEND != 0 {
            self.suspend(target);
        }
        let values = CONTEXT_REGISTERS.map(|register| self.threads[target].context[register]);
        self.answer_call(machine, invocation, &values[..count]);
        Ok(())
    }

    fn write_registers(
        &mut self,
        machine: &mut dyn Machine,
        target: ThreadId,
        invocation: &Invocation<'_>,
    ) -> Result<(), InvocationError> {
        invocation.needs_words(WRITE_ARGUMENTS)?;
        let flags = self.argument(machine, invocation, 0);
        let count = self.argument(machine, invocation, 1);
        let sent = invocation.length - WRITE_ARGUMENTS;
        let count = usize::try_from(count)
            .ok()
            .filter(|count| *count <= sent)
            .ok_or(InvocationError::TruncatedMessage)?;
        if target == invocation.caller {
            return Err(InvocationError::IllegalOperation);
        }
        self.accept(invocation);
        for (index, register) in CONTEXT_REGISTERS.into_iter().enumerate().take(count) {
            let value = self.argument(machine, invocation, WRITE_ARGUMENTS + index);
            self.threads[target].context.set_sanitised(register, value);
        }
        self.start_over_at_fault_ip(target);
        if flags & WRITE_RESUME != 0 {
            self.resume(target);
        }
        Ok(())
    }

    fn copy_registers(
        &mut self,
        machine: &mut dyn Machine,
        target: ThreadId,
        invocation: &Invocation<'_>,
    ) -> Result<(), InvocationError> {
        invocation.needs_words(1)?;
        let source = invocation.first_cap()?;
        let flags = self.argument(machine, invocation, 0);
        let Cap::Thread(source) = source else {
            return Err(InvocationError::InvalidCapability(1));
        };
        self.accept(invocation);
        if flags & COPY_SUSPEND_SOURCE != 0 {
            self.suspend(source);
        }
        if flags & COPY_RESUME_TARGET != 0 {
            self.resume(target);
        }
        let (frame, integer) = CONTEXT_REGISTERS.split_at(FRAME_REGISTERS);
        let mut copy = |registers: &[Register]| {
            for register in registers {
                self.threads[target].context[*register] = self.threads[source].context[*register];
            }
        };
        if flags & COPY_FRAME != 0 {
            copy(frame);
        }
        if flags & COPY_INTEGER != 0 {
            copy(integer);
        }
        if flags & COPY_FRAME != 0 {
            self.start_over_at_fault_ip(target);
        }
        self.reschedule_if_current(target);
        Ok(())
    }

    /// Where a user context says the thread is, it goes on.
    fn start_over_at_fault_ip(&mut self, target: ThreadId) {
        let context = &mut self.threads[target].context;
        context.pc = context.fault_ip;
    }

    /// A priority that the message asks for, on the authority of the thread that it names
    /// (`checkPrio`).
    fn allowed_priority(
        &self,
        machine: &mut dyn Machine,
        invocation: &Invocation<'_>,
    ) -> Result<u8, InvocationError> {
        invocation.needs_words(1)?;
        let Cap::Thread(authority) = invocation.first_cap()? else {
            return Err(InvocationError::InvalidCapability(1));
        };
        let priority = self.argument(machine, invocation, 0);
        self.check_priority(priority, authority)
    }

    fn check_priority(&self, priority: u64, authority: ThreadId) -> Result<u8, InvocationError> {
        let mcp = self.threads[authority].mcp;
        u8::try_from(priority)
            .ok()
            .filter(|priority| *priority <= mcp)
            .ok_or(InvocationError::RangeError {
                min: 0,
                max: mcp.into(),
            })
    }

    fn set_sched_params(
        &mut self,
        machine: &mut dyn Machine,
        target: ThreadId,
        invocation: &Invocation<'_>,
    ) -> Result<(), InvocationError> {
        invocation.needs_words(2)?;
        let [authority, sched_context, fault_handler] = invocation.all_caps()?;
        let Cap::Thread(authority) = authority else {
            return Err(InvocationError::InvalidCapability(1));
        };
        let mcp = self.argument(machine, invocation, 0);
        let mcp = self.check_priority(mcp, authority)?;
        let priority = self.argument(machine, invocation, 1);
        let priority = self.check_priority(priority, authority)?;
        let sched_context = self.check_sched_context(sched_context, target, invocation)?;
        let fault_handler = handler(fault_handler, 3)?;

        self.accept(invocation);
        self.threads[target].fault_handler = fault_handler;
        self.threads[target].mcp = mcp;
        self.set_priority(target, priority);
        match (sched_context, self.threads[target].sched_context) {
            (new, old) if new == old => {}
            (Some(new), _) => self.bind_thread(new, target),
            (None, Some(old)) => self.unbind_thread(old),
            (None, None) => {}
        }
        Ok(())
    }

    /// The scheduling context that `SetSchedParams` is to give a thread, if it may: the one that it
    /// has, a free one if it has none, or none.
    fn check_sched_context(
        &self,
        cap: Cap,
        target: ThreadId,
        invocation: &Invocation<'_>,
    ) -> Result<Option<SchedContextId>, InvocationError> {
        match cap {
            Cap::SchedContext(new) => {
                let old = self.threads[target].sched_context;
                let both_free = old.is_none() && self.sched_contexts[new].thread.is_none();
                let lacks_budget = self.threads[target].is_blocked() && !self.is_ready(new);
                if old != Some(new) && !both_free || lacks_budget {
                    return Err(InvocationError::IllegalOperation);
                }
                Ok(Some(new))
            }
            Cap::Null if target == invocation.caller => Err(InvocationError::IllegalOperation),
            Cap::Null => Ok(None),
            _ => Err(InvocationError::InvalidCapability(2)),
        }
    }

    /// Takes away a thread's IPC buffer. To give it another takes a capability to a frame, which no
    /// PD has.
    fn set_ipc_buffer(
        &mut self,
        machine: &mut dyn Machine,
        target: ThreadId,
        invocation: &Invocation<'_>,
    ) -> Result<(), InvocationError> {
        invocation.needs_words(1)?;
        invocation.first_cap()?;
        if self.argument(machine, invocation, 0) != 0 {
            return Err(InvocationError::IllegalOperation);
        }
        self.accept(invocation);
        self.threads[target].has_ipc_buffer = false;
        self.reschedule_if_current(target);
        Ok(())
    }

    fn bind_own_notification(
        &mut self,
        target: ThreadId,
        invocation: &Invocation<'_>,
    ) -> Result<(), InvocationError> {
        let cap = invocation.first_cap()?;
        let Cap::Notification(cap) = cap else {
            return Err(InvocationError::IllegalOperation);
        };
        let notification = &self.notifications[cap.notification];
        let waited_for = matches!(notification.state, NotificationState::Waiting(_));
        if self.threads[target].bound_notification.is_some()
            || !cap.can_receive
            || waited_for
            || notification.bound_thread.is_some()
        {
            return Err(InvocationError::IllegalOperation);
        }
        self.accept(invocation);
        self.notifications[cap.notification].bound_thread = Some(target);
        self.threads[target].bound_notification = Some(cap.notification);
        Ok(())
    }
}

/// Where faults or timeouts are to go, if they may go there; the capability is the message's
/// `number`th.
fn handler(cap: Cap, number: u64) -> Result<Option<EndpointCap>, InvocationError> {
    match cap {
        Cap::Null => Ok(None),
        Cap::Endpoint(cap) if cap.takes_faults() => Ok(Some(cap)),
        _ => Err(InvocationError::InvalidCapability(number)),
    }
}
