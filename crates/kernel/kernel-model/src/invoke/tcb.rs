//! Invocations of threads (seL4 manual, *`seL4_TCB_Suspend`* and the sections around it; seL4's
//! `object/tcb.c`).

use super::Invocation;
use crate::cap::{Cap, EndpointCap};
use crate::context::{CONTEXT_REGISTERS, FRAME_REGISTERS, Register};
use crate::control::{resume, set_priority, suspend};
use crate::error::InvocationError;
use crate::ids::{SchedContextId, ThreadId};
use crate::ipc::Ipc;
use crate::messages::Messages;
use crate::notification::{NotificationState, Notifications};
use crate::numbers::{TCB_FLAG_FPU_DISABLED, invocation};
use crate::sched::{Scheduler, Threads};

/// Flag of `ReadRegisters`: suspend the thread first.
const READ_SUSPEND: u64 = 1 << 0;
/// Flag of `WriteRegisters`: resume the thread afterwards.
const WRITE_RESUME: u64 = 1 << 0;
/// Flag of `CopyRegisters`: suspend the thread that is read.
const COPY_SUSPEND_SOURCE: u64 = 1 << 0;
/// Flag of `CopyRegisters`: resume the thread that is written.
const COPY_RESUME_TARGET: u64 = 1 << 1;
/// Flag of `CopyRegisters`: copy the frame registers, which come first in a user context.
const COPY_FRAME: u64 = 1 << 2;
/// Flag of `CopyRegisters`: copy the integer registers, which come last in a user context.
const COPY_INTEGER: u64 = 1 << 3;

/// The number of words before the registers in the message of `WriteRegisters`.
const WRITE_ARGUMENTS: usize = 2;

pub(crate) fn invoke(
    sched: &mut Scheduler,
    ipc: &mut Ipc,
    notifications: &mut Notifications,
    messages: &mut Messages<'_>,
    target: ThreadId,
    invocation: &Invocation<'_>,
) -> Result<(), InvocationError> {
    match invocation.label {
        invocation::TCBReadRegisters => {
            read_registers(sched, ipc, notifications, messages, target, invocation)
        }
        invocation::TCBWriteRegisters => {
            write_registers(sched, ipc, notifications, messages, target, invocation)
        }
        invocation::TCBCopyRegisters => {
            copy_registers(sched, ipc, notifications, messages, target, invocation)
        }
        invocation::TCBSuspend => {
            suspend(sched, ipc, notifications, target);
            Ok(())
        }
        invocation::TCBResume => {
            resume(sched, ipc, notifications, target);
            Ok(())
        }
        invocation::TCBSetPriority => {
            let priority = allowed_priority(sched, messages, invocation)?;
            set_priority(sched, ipc, notifications, target, priority);
            Ok(())
        }
        invocation::TCBSetMCPriority => {
            let mcp = allowed_priority(sched, messages, invocation)?;
            sched.thread_mut(target).mcp = mcp;
            Ok(())
        }
        invocation::TCBSetSchedParams => {
            set_sched_params(sched, ipc, notifications, messages, target, invocation)
        }
        invocation::TCBSetTimeoutEndpoint => {
            let handler = handler(invocation.first_cap()?, 1)?;
            sched.thread_mut(target).timeout_handler = handler;
            Ok(())
        }
        invocation::TCBSetIPCBuffer => set_ipc_buffer(sched, messages, target, invocation),
        // `TCBConfigure` and `TCBSetSpace` need a capability to a CNode, which no PD has.
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
        invocation::TCBBindNotification => {
            bind_notification(sched, notifications, target, invocation)
        }
        invocation::TCBUnbindNotification => {
            let bound = sched.thread(target).bound_notification;
            let bound = bound.ok_or(InvocationError::IllegalOperation)?;
            notifications.unbind_thread(sched, bound);
            Ok(())
        }
        invocation::TCBSetTLSBase => {
            invocation.needs_words(1)?;
            let base = invocation.argument(sched, messages, 0);
            sched.thread_mut(target).context[Register::Tpidr] = base;
            sched.reschedule_if_current(target);
            Ok(())
        }
        invocation::TCBSetFlags => {
            invocation.needs_words(2)?;
            let clear = invocation.argument(sched, messages, 0);
            let set = invocation.argument(sched, messages, 1);
            let thread = sched.thread_mut(target);
            let new = u64::from(thread.fpu_disabled) & !clear | set & TCB_FLAG_FPU_DISABLED;
            thread.fpu_disabled = new != 0;
            invocation.answer(sched, messages, &[new]);
            Ok(())
        }
        _ => Err(InvocationError::IllegalOperation),
    }
}

fn read_registers(
    sched: &mut Scheduler,
    ipc: &mut Ipc,
    notifications: &mut Notifications,
    messages: &mut Messages<'_>,
    target: ThreadId,
    invocation: &Invocation<'_>,
) -> Result<(), InvocationError> {
    invocation.needs_words(2)?;
    let flags = invocation.argument(sched, messages, 0);
    let count = invocation.argument(sched, messages, 1);
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
    if flags & READ_SUSPEND != 0 {
        suspend(sched, ipc, notifications, target);
    }
    let context = &sched.thread(target).context;
    let values = CONTEXT_REGISTERS.map(|register| context[register]);
    invocation.answer(sched, messages, &values[..count]);
    Ok(())
}

fn write_registers(
    sched: &mut Scheduler,
    ipc: &mut Ipc,
    notifications: &mut Notifications,
    messages: &mut Messages<'_>,
    target: ThreadId,
    invocation: &Invocation<'_>,
) -> Result<(), InvocationError> {
    invocation.needs_words(WRITE_ARGUMENTS)?;
    let flags = invocation.argument(sched, messages, 0);
    let count = invocation.argument(sched, messages, 1);
    let sent = invocation.length - WRITE_ARGUMENTS;
    let count = usize::try_from(count)
        .ok()
        .filter(|count| *count <= sent)
        .ok_or(InvocationError::TruncatedMessage)?;
    if target == invocation.caller {
        return Err(InvocationError::IllegalOperation);
    }
    for (index, register) in CONTEXT_REGISTERS.into_iter().enumerate().take(count) {
        let value = invocation.argument(sched, messages, WRITE_ARGUMENTS + index);
        sched
            .thread_mut(target)
            .context
            .set_sanitised(register, value);
    }
    continue_at_fault_ip(sched.threads_mut(), target);
    if flags & WRITE_RESUME != 0 {
        resume(sched, ipc, notifications, target);
    }
    Ok(())
}

fn copy_registers(
    sched: &mut Scheduler,
    ipc: &mut Ipc,
    notifications: &mut Notifications,
    messages: &mut Messages<'_>,
    target: ThreadId,
    invocation: &Invocation<'_>,
) -> Result<(), InvocationError> {
    invocation.needs_words(1)?;
    let source = invocation.first_cap()?;
    let flags = invocation.argument(sched, messages, 0);
    let Cap::Thread(source) = source else {
        return Err(InvocationError::InvalidCapability(1));
    };
    if flags & COPY_SUSPEND_SOURCE != 0 {
        suspend(sched, ipc, notifications, source);
    }
    if flags & COPY_RESUME_TARGET != 0 {
        resume(sched, ipc, notifications, target);
    }
    let (frame, integer) = CONTEXT_REGISTERS.split_at(FRAME_REGISTERS);
    let threads = sched.threads_mut();
    let mut copy = |registers: &[Register]| {
        for register in registers {
            threads[target].context[*register] = threads[source].context[*register];
        }
    };
    if flags & COPY_FRAME != 0 {
        copy(frame);
    }
    if flags & COPY_INTEGER != 0 {
        copy(integer);
    }
    if flags & COPY_FRAME != 0 {
        continue_at_fault_ip(threads, target);
    }
    sched.reschedule_if_current(target);
    Ok(())
}

/// Sets a thread's program counter to the thread's `FaultIP`. A user context contains the program
/// counter as `FaultIP`.
fn continue_at_fault_ip(threads: &mut Threads, target: ThreadId) {
    let context = &mut threads[target].context;
    context.pc = context.fault_ip;
}

/// Returns the requested priority, if the authority thread in the message may give this priority
/// (`checkPrio`).
fn allowed_priority(
    sched: &Scheduler,
    messages: &mut Messages<'_>,
    invocation: &Invocation<'_>,
) -> Result<u8, InvocationError> {
    invocation.needs_words(1)?;
    let Cap::Thread(authority) = invocation.first_cap()? else {
        return Err(InvocationError::InvalidCapability(1));
    };
    let priority = invocation.argument(sched, messages, 0);
    check_priority(sched, priority, authority)
}

fn check_priority(
    sched: &Scheduler,
    priority: u64,
    authority: ThreadId,
) -> Result<u8, InvocationError> {
    let mcp = sched.thread(authority).mcp;
    u8::try_from(priority)
        .ok()
        .filter(|priority| *priority <= mcp)
        .ok_or(InvocationError::RangeError {
            min: 0,
            max: mcp.into(),
        })
}

fn set_sched_params(
    sched: &mut Scheduler,
    ipc: &mut Ipc,
    notifications: &mut Notifications,
    messages: &mut Messages<'_>,
    target: ThreadId,
    invocation: &Invocation<'_>,
) -> Result<(), InvocationError> {
    invocation.needs_words(2)?;
    let [authority, sched_context, fault_handler] = invocation.all_caps()?;
    let Cap::Thread(authority) = authority else {
        return Err(InvocationError::InvalidCapability(1));
    };
    let mcp = invocation.argument(sched, messages, 0);
    let mcp = check_priority(sched, mcp, authority)?;
    let priority = invocation.argument(sched, messages, 1);
    let priority = check_priority(sched, priority, authority)?;
    let sched_context = check_sched_context(sched, sched_context, target, invocation)?;
    let fault_handler = handler(fault_handler, 3)?;

    let thread = sched.thread_mut(target);
    thread.fault_handler = fault_handler;
    thread.mcp = mcp;
    set_priority(sched, ipc, notifications, target, priority);
    match (sched_context, sched.thread(target).sched_context()) {
        (new, old) if new == old => {}
        (Some(new), _) => sched.bind_thread(new, target),
        (None, Some(old)) => sched.unbind_thread(old),
        (None, None) => {}
    }
    Ok(())
}

/// Returns the scheduling context that `SetSchedParams` gives to a thread, if any. A thread keeps
/// its scheduling context if it has one, and can otherwise get an unbound scheduling context.
fn check_sched_context(
    sched: &Scheduler,
    cap: Cap,
    target: ThreadId,
    invocation: &Invocation<'_>,
) -> Result<Option<SchedContextId>, InvocationError> {
    match cap {
        Cap::SchedContext(new) => {
            let thread = sched.thread(target);
            let old = thread.sched_context();
            let both_free = old.is_none() && sched.sched_context(new).thread().is_none();
            let lacks_budget = thread.is_blocked() && !sched.is_ready(new);
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

/// Removes a thread's IPC buffer. Setting a buffer would need a capability to a frame, which no PD
/// has.
fn set_ipc_buffer(
    sched: &mut Scheduler,
    messages: &mut Messages<'_>,
    target: ThreadId,
    invocation: &Invocation<'_>,
) -> Result<(), InvocationError> {
    invocation.needs_words(1)?;
    invocation.first_cap()?;
    if invocation.argument(sched, messages, 0) != 0 {
        return Err(InvocationError::IllegalOperation);
    }
    sched.thread_mut(target).has_ipc_buffer = false;
    sched.reschedule_if_current(target);
    Ok(())
}

fn bind_notification(
    sched: &mut Scheduler,
    notifications: &mut Notifications,
    target: ThreadId,
    invocation: &Invocation<'_>,
) -> Result<(), InvocationError> {
    let cap = invocation.first_cap()?;
    let Cap::Notification(cap) = cap else {
        return Err(InvocationError::IllegalOperation);
    };
    let notification = notifications.get(cap.notification);
    let waited_for = matches!(notification.state, NotificationState::Waiting(_));
    if sched.thread(target).bound_notification.is_some()
        || !cap.can_receive
        || waited_for
        || notification.bound_thread.is_some()
    {
        return Err(InvocationError::IllegalOperation);
    }
    notifications.bind_thread(sched, cap.notification, target);
    Ok(())
}

/// Returns the endpoint of a fault or timeout handler, if the capability may be a handler. `number`
/// is the number of the capability in the message.
fn handler(cap: Cap, number: u64) -> Result<Option<EndpointCap>, InvocationError> {
    match cap {
        Cap::Null => Ok(None),
        Cap::Endpoint(cap) if cap.takes_faults() => Ok(Some(cap)),
        _ => Err(InvocationError::InvalidCapability(number)),
    }
}
