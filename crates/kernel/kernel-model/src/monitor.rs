//! Microkit's monitor: the thread to which passive PDs and the faults of PDs without a parent
//! report (Microkit's `monitor/src/main.c`).
//!
//! It is a thread as any other, above all others in priority, and is scheduled like one; only that
//! the kernel itself does what its program would do, in no time, instead of running it. That
//! program is a loop: receive; if the message has the label 0, bind the sender's scheduling context
//! to its notification, else report a fault; receive again. Because it receives with one reply
//! object and never replies, a PD that has faulted is inactive from then on.

use crate::context::{BADGE_REGISTER, INFO_REGISTER, UserContext};
use crate::error::InvocationError;
use crate::ids::{EndpointId, Id, NotificationId, ReplyId, SchedContextId, ThreadId};
use crate::kernel::Kernel;
use crate::machine::{MONITOR_WORDS, Machine, MonitorFault, Report};
use crate::message_info::MessageInfo;
use crate::numbers::{FAST_MESSAGE_WORDS, MAX_PRIORITY, fault};
use crate::objects::Thread;

/// What the monitor's program knows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Monitor {
    started: bool,
    /// The words of its IPC buffer that it reads.
    words: [u64; MONITOR_WORDS - FAST_MESSAGE_WORDS],
}

/// Where the words of [`Monitor::words`] lie in an IPC buffer: behind the tag and the words that
/// travel in registers.
const WORDS_INDEX: usize = 1 + FAST_MESSAGE_WORDS;

impl Monitor {
    /// Its name, among those of the PDs.
    pub(crate) const NAME: &str = "monitor";

    /// Its thread: the only one with the highest priority.
    pub(crate) fn thread() -> Thread {
        Thread::new(MAX_PRIORITY, true)
    }

    /// Reads a word of its IPC buffer; it never looks at most of them.
    pub(crate) fn read_buffer(&self, index: usize) -> u64 {
        let word = index
            .checked_sub(WORDS_INDEX)
            .and_then(|word| self.words.get(word));
        word.copied().unwrap_or(0)
    }

    /// Writes a word of its IPC buffer.
    pub(crate) fn write_buffer(&mut self, index: usize, value: u64) {
        let word = index
            .checked_sub(WORDS_INDEX)
            .and_then(|word| self.words.get_mut(word));
        if let Some(word) = word {
            *word = value;
        }
    }
}

impl Kernel {
    /// The monitor's thread.
    pub(crate) fn monitor_thread(&self) -> ThreadId {
        ThreadId::nth(self.spec().domains.len())
    }

    /// Does what the monitor does when it is scheduled, up to where it receives again.
    pub(crate) fn run_monitor(&mut self, machine: &mut dyn Machine) {
        if self.monitor.started {
            self.handle_message(machine);
        } else {
            self.monitor.started = true;
            machine.report(Report::MonitorStarted);
        }
        let domains = self.spec().domains.len();
        let thread = self.monitor_thread();
        let endpoint = EndpointId::nth(domains);
        self.receive(machine, thread, endpoint, true, Some(ReplyId::nth(domains)));
    }

    /// Handles the message that the monitor has just received, and forgets it.
    fn handle_message(&mut self, machine: &mut dyn Machine) {
        let thread = self.monitor_thread();
        let mut words = [0; MONITOR_WORDS];
        for (index, word) in words.iter_mut().enumerate() {
            *word = self.message_word(machine, thread, index);
        }
        self.monitor.words = Default::default();
        let context = core::mem::replace(&mut self.threads[thread].context, UserContext::NEW);
        let label = MessageInfo::from_word(context[INFO_REGISTER]).label;
        let Some(domain) = self.domain_with_badge(context[BADGE_REGISTER]) else {
            return;
        };
        if label == fault::NullFault {
            machine.report(match self.make_passive(domain) {
                Ok(()) => Report::Passive { domain },
                Err(error) => Report::NotPassive { domain, error },
            });
        } else {
            machine.report(Report::Fault(MonitorFault {
                domain,
                label,
                words,
                context: &self.threads[ThreadId::nth(domain)].context,
            }));
        }
    }

    /// The PD whose capability to the monitor's endpoint has this badge.
    fn domain_with_badge(&self, badge: u64) -> Option<usize> {
        let domain = usize::try_from(badge.checked_sub(1)?).ok()?;
        (domain < self.spec().domains.len()).then_some(domain)
    }

    /// Binds a PD's scheduling context to its notification.
    ///
    /// The PD keeps running on it: it gives it up when it next waits, and has it back when it is
    /// signalled (see [`return_sched_context`](Self::return_sched_context)).
    fn make_passive(&mut self, domain: usize) -> Result<(), InvocationError> {
        if !self.spec().domains[domain].passive {
            // The monitor has capabilities to the scheduling contexts of passive PDs only.
            return Err(InvocationError::InvalidCapability(0));
        }
        self.try_bind_notification(SchedContextId::nth(domain), NotificationId::nth(domain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_words_that_the_monitor_reads_are_kept() {
        let mut monitor = Monitor::default();
        for index in 0..128 {
            monitor.write_buffer(index, index as u64);
        }
        let kept: [u64; 3] = [5, 6, 7];
        assert_eq!(monitor.words, kept);
        assert_eq!(monitor.read_buffer(4), 0);
        assert_eq!(monitor.read_buffer(7), 7);
        assert_eq!(monitor.read_buffer(8), 0);
    }
}
