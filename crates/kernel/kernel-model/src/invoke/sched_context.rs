//! Invocations of scheduling contexts (seL4 manual, *seL4_SchedContext_Bind* and those that follow;
//! seL4's `object/schedcontext.c`).

use super::Invocation;
use crate::cap::Cap;
use crate::error::InvocationError;
use crate::ids::{NotificationId, SchedContextId, ThreadId};
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::numbers::invocation;

impl Kernel {
    pub(super) fn invoke_sched_context(
        &mut self,
        machine: &mut dyn Machine,
        sched_context: SchedContextId,
        invocation: &Invocation<'_>,
    ) -> Result<(), InvocationError> {
        match invocation.label {
            invocation::SchedContextConsumed => {
                self.accept(invocation);
                let consumed = self.take_consumed(sched_context);
                self.answer_call(machine, invocation, &[consumed]);
                Ok(())
            }
            invocation::SchedContextBind => self.bind(sched_context, invocation),
            invocation::SchedContextUnbindObject => self.unbind_object(sched_context, invocation),
            invocation::SchedContextUnbind => {
                self.check_not_callers(sched_context, invocation)?;
                self.accept(invocation);
                self.unbind_thread(sched_context);
                self.unbind_notification(sched_context);
                self.unbind_reply(sched_context);
                Ok(())
            }
            invocation::SchedContextYieldTo => self.yield_to(machine, sched_context, invocation),
            _ => Err(InvocationError::IllegalOperation),
        }
    }

    fn bind(
        &mut self,
        sched_context: SchedContextId,
        invocation: &Invocation<'_>,
    ) -> Result<(), InvocationError> {
        match invocation.first_cap()? {
            Cap::Thread(thread) => {
                self.check_bindable(sched_context, thread)?;
                self.accept(invocation);
                self.bind_thread(sched_context, thread);
                Ok(())
            }
            Cap::Notification(cap) => {
                self.check_notification_bindable(sched_context, cap.notification)?;
                self.accept(invocation);
                self.bind_notification(sched_context, cap.notification);
                Ok(())
            }
            _ => Err(InvocationError::InvalidCapability(1)),
        }
    }

    /// Whether the scheduling context is free, the thread has none, and if it waits for someone
    /// would have the budget to go on (`decodeSchedContext_Bind`).
    fn check_bindable(
        &self,
        sched_context: SchedContextId,
        thread: ThreadId,
    ) -> Result<(), InvocationError> {
        let free = self.sched_contexts[sched_context].thread.is_none()
            && self.threads[thread].sched_context.is_none();
        if !free || self.threads[thread].is_blocked() && !self.is_ready(sched_context) {
            return Err(InvocationError::IllegalOperation);
        }
        Ok(())
    }

    fn check_notification_bindable(
        &self,
        sched_context: SchedContextId,
        notification: NotificationId,
    ) -> Result<(), InvocationError> {
        let free = self.sched_contexts[sched_context].notification.is_none()
            && self.notifications[notification].sched_context.is_none();
        if free {
            Ok(())
        } else {
            Err(InvocationError::IllegalOperation)
        }
    }

    /// Binds a scheduling context to a notification, unless one of them is bound.
    pub(crate) fn try_bind_notification(
        &mut self,
        sched_context: SchedContextId,
        notification: NotificationId,
    ) -> Result<(), InvocationError> {
        self.check_notification_bindable(sched_context, notification)?;
        self.bind_notification(sched_context, notification);
        Ok(())
    }

    fn unbind_object(
        &mut self,
        sched_context: SchedContextId,
        invocation: &Invocation<'_>,
    ) -> Result<(), InvocationError> {
        match invocation.first_cap()? {
            Cap::Thread(thread) => {
                if self.sched_contexts[sched_context].thread != Some(thread) {
                    return Err(InvocationError::IllegalOperation);
                }
                self.check_not_callers(sched_context, invocation)?;
                self.accept(invocation);
                self.unbind_thread(sched_context);
                Ok(())
            }
            Cap::Notification(cap) => {
                if self.sched_contexts[sched_context].notification != Some(cap.notification) {
                    return Err(InvocationError::IllegalOperation);
                }
                self.accept(invocation);
                self.unbind_notification(sched_context);
                Ok(())
            }
            _ => Err(InvocationError::InvalidCapability(1)),
        }
    }

    /// Nobody takes away what it runs on itself.
    fn check_not_callers(
        &self,
        sched_context: SchedContextId,
        invocation: &Invocation<'_>,
    ) -> Result<(), InvocationError> {
        if self.sched_contexts[sched_context].thread == Some(invocation.caller) {
            return Err(InvocationError::IllegalOperation);
        }
        Ok(())
    }

    fn yield_to(
        &mut self,
        machine: &mut dyn Machine,
        sched_context: SchedContextId,
        invocation: &Invocation<'_>,
    ) -> Result<(), InvocationError> {
        let caller = invocation.caller;
        let target = self.sched_contexts[sched_context]
            .thread
            .filter(|thread| *thread != caller)
            .filter(|thread| self.threads[*thread].priority <= self.threads[caller].mcp)
            .ok_or(InvocationError::IllegalOperation)?;
        self.accept(invocation);
        if let Some(yielder) = self.sched_contexts[sched_context].yield_from {
            self.complete_yield(machine, yielder);
        }
        self.postpone_unless_released(sched_context);
        let schedulable = self.threads[target].is_schedulable();
        if schedulable && self.threads[target].priority >= self.threads[caller].priority {
            self.threads[caller].yield_to = Some(sched_context);
            self.sched_contexts[sched_context].yield_from = Some(caller);
            self.dequeue_ready(target);
            self.enqueue_first(caller);
            self.enqueue_first(target);
            self.reschedule();
            // The caller has its answer when it runs again.
            return Ok(());
        }
        if schedulable {
            self.dequeue_ready(target);
            self.enqueue_first(target);
        }
        let consumed = self.take_consumed(sched_context);
        self.answer_call(machine, invocation, &[consumed]);
        Ok(())
    }
}
