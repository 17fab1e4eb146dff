//! Microkit's monitor. This thread receives messages from passive PDs, and the faults of PDs
//! without a parent (Microkit's `monitor/src/main.c`).
//!
//! The monitor is scheduled like any other thread, with the highest priority. The monitor's program
//! does not run: the kernel performs the program's actions in no time. The program is a loop that
//! receives a message. If the label is 0, the program binds the sender's scheduling context to the
//! sender's notification. Otherwise, the program reports a fault. The monitor has one reply object
//! and never replies. So a PD that has faulted becomes inactive as soon as the monitor receives
//! again.

use crate::context::{BADGE_REGISTER, INFO_REGISTER, UserContext};
use crate::error::InvocationError;
use crate::ids::{EndpointId, Id, NotificationId, ReplyId, SchedContextId, ThreadId};
use crate::ipc::{Ipc, ReceiveMode};
use crate::machine::{MONITOR_WORDS, MonitorFault, Report};
use crate::message_info::MessageInfo;
use crate::messages::Messages;
use crate::notification::Notifications;
use crate::numbers::{FAST_MESSAGE_WORDS, MAX_PRIORITY, fault};
use crate::sched::{Scheduler, Thread};
use crate::system::System;

/// The state of the monitor's program.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Monitor {
    started: bool,
    /// The words of the IPC buffer that the program reads.
    words: [u64; MONITOR_WORDS - FAST_MESSAGE_WORDS],
}

/// The index of [`Monitor::words`] in an IPC buffer, after the tag and the words in registers.
const WORDS_INDEX: usize = 1 + FAST_MESSAGE_WORDS;

impl Monitor {
    /// The name of the monitor's thread.
    pub(crate) const NAME: &str = "monitor";

    /// Returns the monitor's thread. No other thread has the highest priority.
    pub(crate) fn thread() -> Thread {
        Thread::new(MAX_PRIORITY, true)
    }

    /// Reads a word of the monitor's IPC buffer. A word that the program never reads is zero.
    pub(crate) fn read_buffer(&self, index: usize) -> u64 {
        let word = index
            .checked_sub(WORDS_INDEX)
            .and_then(|word| self.words.get(word));
        word.copied().unwrap_or(0)
    }

    /// Writes a word of the monitor's IPC buffer, if the program reads that word.
    pub(crate) fn write_buffer(&mut self, index: usize, value: u64) {
        let word = index
            .checked_sub(WORDS_INDEX)
            .and_then(|word| self.words.get_mut(word));
        if let Some(word) = word {
            *word = value;
        }
    }
}

/// Runs the monitor's program until it receives again.
pub(crate) fn run(
    sched: &mut Scheduler,
    ipc: &mut Ipc,
    notifications: &mut Notifications,
    messages: &mut Messages<'_>,
) {
    if messages.monitor.started {
        handle_message(sched, notifications, messages);
    } else {
        messages.monitor.started = true;
        messages.machine.report(Report::MonitorStarted);
    }
    let monitor = messages.system.monitor_thread();
    let how = ReceiveMode {
        endpoint: EndpointId::nth(monitor.index()),
        blocking: true,
        reply: Some(ReplyId::nth(monitor.index())),
    };
    ipc.receive(sched, notifications, messages, monitor, how);
}

/// Handles the message that the monitor has just received, and clears the message.
fn handle_message(
    sched: &mut Scheduler,
    notifications: &mut Notifications,
    messages: &mut Messages<'_>,
) {
    let monitor = messages.system.monitor_thread();
    let mut words = [0; MONITOR_WORDS];
    for (index, word) in words.iter_mut().enumerate() {
        *word = messages.word(sched.threads(), monitor, index);
    }
    messages.monitor.words = Default::default();
    let context = &mut sched.thread_mut(monitor).context;
    let context = core::mem::replace(context, UserContext::NEW);
    let label = MessageInfo::from_word(context[INFO_REGISTER]).label;
    let Some(pd_index) = pd_with_badge(messages.system, context[BADGE_REGISTER]) else {
        return;
    };
    if label == fault::NullFault {
        let outcome = make_passive(messages.system, sched, notifications, pd_index);
        messages.machine.report(match outcome {
            Ok(()) => Report::Passive { pd_index },
            Err(error) => Report::NotPassive { pd_index, error },
        });
    } else {
        messages.machine.report(Report::Fault(MonitorFault {
            pd_index,
            label,
            words,
            context: &sched.thread(ThreadId::nth(pd_index)).context,
        }));
    }
}

/// Returns the PD whose capability to the monitor's endpoint has this badge.
fn pd_with_badge(system: &System, badge: u64) -> Option<usize> {
    let pd_index = usize::try_from(badge.checked_sub(1)?).ok()?;
    (pd_index < system.spec.pds.len()).then_some(pd_index)
}

/// Binds a PD's scheduling context to its notification.
///
/// The PD continues until its next wait. Then the notification takes back the scheduling context,
/// and lends it to the PD with the next signal (see [`Notifications::return_sched_context`]).
fn make_passive(
    system: &System,
    sched: &mut Scheduler,
    notifications: &mut Notifications,
    pd_index: usize,
) -> Result<(), InvocationError> {
    if !system.spec.pds[pd_index].passive {
        // The monitor has capabilities only to the scheduling contexts of passive PDs.
        return Err(InvocationError::InvalidCapability(0));
    }
    let (notification, sched_context) =
        (NotificationId::nth(pd_index), SchedContextId::nth(pd_index));
    notifications.bind_sched_context(sched, notification, sched_context)
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
