//! Raises faults: sends each fault to the thread's handler (seL4 manual, *Faults and Exceptions*;
//! seL4's `kernel/faulthandler.c`).

use super::{Ipc, SendMode};
use crate::cap::EndpointCap;
use crate::fault::Fault;
use crate::ids::ThreadId;
use crate::machine::Report;
use crate::messages::Messages;
use crate::sched::{Scheduler, ThreadState};

impl Ipc {
    /// Sends a fault to the thread's fault handler. Without a handler, the thread becomes inactive
    /// (`handleFault`).
    pub(crate) fn raise(
        &mut self,
        sched: &mut Scheduler,
        messages: &mut Messages<'_>,
        thread: ThreadId,
        fault: Fault,
    ) {
        match sched.thread(thread).fault_handler {
            Some(handler) => {
                let donate = sched.thread(thread).sched_context().is_some();
                self.send_fault(sched, messages, thread, fault, handler, donate);
            }
            None => {
                sched.set_state(thread, ThreadState::Inactive);
                let report = Report::NoFaultHandler { thread, fault };
                messages.machine.report(report);
            }
        }
    }

    /// Sends a timeout fault to the thread's timeout handler, if the thread has one. The handler
    /// does not get the scheduling context, because the budget is used up.
    pub(crate) fn raise_timeout(
        &mut self,
        sched: &mut Scheduler,
        messages: &mut Messages<'_>,
        thread: ThreadId,
    ) {
        if let Some(handler) = sched.thread(thread).timeout_handler
            && let Some(sched_context) = sched.thread(thread).sched_context()
        {
            let badge = sched.sched_context(sched_context).badge;
            let fault = Fault::Timeout { badge };
            self.send_fault(sched, messages, thread, fault, handler, false);
        }
    }

    fn send_fault(
        &mut self,
        sched: &mut Scheduler,
        messages: &mut Messages<'_>,
        thread: ThreadId,
        fault: Fault,
        handler: EndpointCap,
        donate: bool,
    ) {
        sched.thread_mut(thread).fault = Some(fault);
        let how = SendMode {
            cap: handler,
            blocking: true,
            call: false,
            donate,
        };
        self.send(sched, messages, thread, how);
    }
}
