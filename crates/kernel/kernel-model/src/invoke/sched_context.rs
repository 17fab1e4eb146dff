//! Invocations of scheduling contexts (seL4 manual, *`seL4_SchedContext_Bind`* and the following
//! sections; seL4's `object/schedcontext.c`).

use super::Invocation;
use crate::cap::Cap;
use crate::error::InvocationError;
use crate::ids::{SchedContextId, ThreadId};
use crate::ipc::Ipc;
use crate::messages::Messages;
use crate::notification::Notifications;
use crate::numbers::invocation;
use crate::sched::Scheduler;

pub(crate) fn invoke(
    sched: &mut Scheduler,
    ipc: &mut Ipc,
    notifications: &mut Notifications,
    messages: &mut Messages<'_>,
    sched_context: SchedContextId,
    invocation: &Invocation<'_>,
) -> Result<(), InvocationError> {
    match invocation.label {
        invocation::SchedContextConsumed => {
            let consumed = sched.take_consumed(sched_context);
            invocation.answer(sched, messages, &[consumed]);
            Ok(())
        }
        invocation::SchedContextBind => bind(sched, notifications, sched_context, invocation),
        invocation::SchedContextUnbindObject => {
            unbind_object(sched, notifications, sched_context, invocation)
        }
        invocation::SchedContextUnbind => {
            check_not_callers(sched, sched_context, invocation)?;
            sched.unbind_thread(sched_context);
            notifications.unbind_sched_context(sched, sched_context);
            ipc.unbind_sched_context(sched, sched_context);
            Ok(())
        }
        invocation::SchedContextYieldTo => yield_to(sched, messages, sched_context, invocation),
        _ => Err(InvocationError::IllegalOperation),
    }
}

fn bind(
    sched: &mut Scheduler,
    notifications: &mut Notifications,
    sched_context: SchedContextId,
    invocation: &Invocation<'_>,
) -> Result<(), InvocationError> {
    match invocation.first_cap()? {
        Cap::Thread(thread) => {
            check_bindable(sched, sched_context, thread)?;
            sched.bind_thread(sched_context, thread);
            Ok(())
        }
        Cap::Notification(cap) => {
            notifications.bind_sched_context(sched, cap.notification, sched_context)
        }
        _ => Err(InvocationError::InvalidCapability(1)),
    }
}

/// Checks that the scheduling context and the thread are unbound. If the thread is blocked, the
/// scheduling context must also have a usable budget (`decodeSchedContext_Bind`).
fn check_bindable(
    sched: &Scheduler,
    sched_context: SchedContextId,
    thread: ThreadId,
) -> Result<(), InvocationError> {
    let thread = sched.thread(thread);
    let free =
        sched.sched_context(sched_context).thread().is_none() && thread.sched_context().is_none();
    if !free || thread.is_blocked() && !sched.is_ready(sched_context) {
        return Err(InvocationError::IllegalOperation);
    }
    Ok(())
}

fn unbind_object(
    sched: &mut Scheduler,
    notifications: &mut Notifications,
    sched_context: SchedContextId,
    invocation: &Invocation<'_>,
) -> Result<(), InvocationError> {
    match invocation.first_cap()? {
        Cap::Thread(thread) => {
            if sched.sched_context(sched_context).thread() != Some(thread) {
                return Err(InvocationError::IllegalOperation);
            }
            check_not_callers(sched, sched_context, invocation)?;
            sched.unbind_thread(sched_context);
            Ok(())
        }
        Cap::Notification(cap) => {
            if sched.sched_context(sched_context).notification != Some(cap.notification) {
                return Err(InvocationError::IllegalOperation);
            }
            notifications.unbind_sched_context(sched, sched_context);
            Ok(())
        }
        _ => Err(InvocationError::InvalidCapability(1)),
    }
}

/// Checks that the caller does not run on the scheduling context that the invocation unbinds.
fn check_not_callers(
    sched: &Scheduler,
    sched_context: SchedContextId,
    invocation: &Invocation<'_>,
) -> Result<(), InvocationError> {
    if sched.sched_context(sched_context).thread() == Some(invocation.caller) {
        return Err(InvocationError::IllegalOperation);
    }
    Ok(())
}

fn yield_to(
    sched: &mut Scheduler,
    messages: &mut Messages<'_>,
    sched_context: SchedContextId,
    invocation: &Invocation<'_>,
) -> Result<(), InvocationError> {
    let caller = invocation.caller;
    sched
        .sched_context(sched_context)
        .thread()
        .filter(|target| *target != caller)
        .filter(|target| sched.thread(*target).priority() <= sched.thread(caller).mcp)
        .ok_or(InvocationError::IllegalOperation)?;
    if let Some(yielder) = sched.sched_context(sched_context).yield_from() {
        complete_yield(sched, messages, yielder);
    }
    if !sched.yield_to(caller, sched_context) {
        let consumed = sched.take_consumed(sched_context);
        invocation.answer(sched, messages, &[consumed]);
    }
    Ok(())
}

/// Answers the `YieldTo` of a thread that runs again, if the thread has yielded
/// (`schedContext_completeYieldTo`).
pub(crate) fn complete_yield(sched: &mut Scheduler, messages: &mut Messages<'_>, thread: ThreadId) {
    if let Some(sched_context) = sched.thread(thread).yield_to() {
        let consumed = sched.take_consumed(sched_context);
        messages.answer(sched.threads_mut(), thread, 0, &[consumed]);
        sched.cancel_yield(thread);
    }
}
