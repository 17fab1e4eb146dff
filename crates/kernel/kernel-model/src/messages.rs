//! Messages: words in registers and IPC buffers, and the capabilities in a message (seL4 manual,
//! *Message Passing*, *Capability Transfer*).

use crate::cap::Cap;
use crate::context::{BADGE_REGISTER, INFO_REGISTER, MESSAGE_REGISTERS};
use crate::fault::Fault;
use crate::ids::{EndpointId, ThreadId};
use crate::machine::Machine;
use crate::message_info::MessageInfo;
use crate::monitor::Monitor;
use crate::numbers::{FAST_MESSAGE_WORDS, MAX_EXTRA_CAPS, MAX_MESSAGE_WORDS};
use crate::sched::{Scheduler, Threads};
use crate::system::System;

/// The capabilities that a message names.
pub(crate) type ExtraCaps = [Option<Cap>; MAX_EXTRA_CAPS];

/// The index of a message's capabilities, and of received badges, in an IPC buffer. The tag, the
/// words and the user data come before this index.
const EXTRA_CAPS_INDEX: usize = 1 + MAX_MESSAGE_WORDS + 1;

/// The IPC buffers and CSpaces that a message can refer to, borrowed for one step. The monitor
/// holds its own IPC buffer, and the machine holds all others.
pub(crate) struct Messages<'a> {
    pub(crate) system: &'a System,
    pub(crate) monitor: &'a mut Monitor,
    pub(crate) machine: &'a mut dyn Machine,
}

impl Messages<'_> {
    /// Transfers a message. If the sender has a fault, transfers the fault instead
    /// (`doIPCTransfer`).
    ///
    /// `through` is the endpoint, or `None` for a reply.
    pub(crate) fn transfer(
        &mut self,
        sched: &mut Scheduler,
        sender: ThreadId,
        through: Option<EndpointId>,
        badge: u64,
        can_grant: bool,
        receiver: ThreadId,
    ) {
        let info = match sched.thread(sender).fault {
            None => {
                self.transfer_message(sched.threads_mut(), sender, through, can_grant, receiver)
            }
            Some(fault) => self.transfer_fault(sched, sender, fault, receiver),
        };
        let context = &mut sched.thread_mut(receiver).context;
        context[INFO_REGISTER] = info.to_word();
        context[BADGE_REGISTER] = badge;
    }

    fn transfer_message(
        &mut self,
        threads: &mut Threads,
        sender: ThreadId,
        through: Option<EndpointId>,
        can_grant: bool,
        receiver: ThreadId,
    ) -> MessageInfo {
        let info = MessageInfo::from_word(threads[sender].context[INFO_REGISTER]);
        let count = threads[sender]
            .message_words(info.length)
            .min(threads[receiver].message_words(info.length));
        let words = threads[sender].context.x;
        let to = &mut threads[receiver].context.x;
        match count {
            0 => {}
            1 => to[2] = words[2],
            2 => to[2..4].copy_from_slice(&words[2..4]),
            3 => to[2..5].copy_from_slice(&words[2..5]),
            _ => to[2..6].copy_from_slice(&words[2..6]),
        }
        if count > FAST_MESSAGE_WORDS {
            let monitor = self.system.monitor_thread();
            if sender == monitor || receiver == monitor {
                for index in FAST_MESSAGE_WORDS..count {
                    let word = self.word(threads, sender, index);
                    self.set_word(threads, receiver, index, word);
                }
            } else {
                self.machine
                    .copy_ipc_buffer(sender, receiver, 1 + FAST_MESSAGE_WORDS..1 + count);
            }
        }
        let mut received = MessageInfo::new(info.label, count as u8);
        if can_grant && info.extra_caps != 0 && threads[receiver].has_ipc_buffer {
            let caps = self.extra_caps(threads, sender, info).unwrap_or_default();
            received.extra_caps = self.transfer_badges(&caps, through, receiver);
            received.caps_unwrapped = (1 << received.extra_caps) - 1;
        }
        received
    }

    /// Transfers capabilities to the message's endpoint as badges (`transferCaps`). The first
    /// capability to another object ends the list, because a PD has no slot to receive
    /// capabilities.
    fn transfer_badges(
        &mut self,
        caps: &ExtraCaps,
        through: Option<EndpointId>,
        receiver: ThreadId,
    ) -> u8 {
        let mut count = 0;
        for cap in caps {
            match cap {
                Some(Cap::Endpoint(cap)) if Some(cap.endpoint) == through => {
                    let index = EXTRA_CAPS_INDEX + usize::from(count);
                    self.write_buffer(receiver, index, cap.badge);
                    count += 1;
                }
                _ => break,
            }
        }
        count
    }

    fn transfer_fault(
        &mut self,
        sched: &mut Scheduler,
        sender: ThreadId,
        fault: Fault,
        receiver: ThreadId,
    ) -> MessageInfo {
        let consumed = match (fault, sched.thread(sender).sched_context()) {
            (Fault::Timeout { .. }, Some(sc)) => Some(sched.take_consumed(sc)),
            _ => None,
        };
        let words = fault.words(&sched.thread(sender).context, consumed);
        self.set_message(
            sched.threads_mut(),
            receiver,
            fault.label(),
            words.as_slice(),
        )
    }

    /// Looks up the capabilities that a thread's message names (`lookupExtraCaps`).
    ///
    /// # Errors
    ///
    /// Returns the fault of the first pointer that does not lead to a slot.
    pub(crate) fn extra_caps(
        &mut self,
        threads: &Threads,
        sender: ThreadId,
        info: MessageInfo,
    ) -> Result<ExtraCaps, Fault> {
        let mut caps = ExtraCaps::default();
        if !threads[sender].has_ipc_buffer {
            return Ok(caps);
        }
        let named = usize::from(info.extra_caps);
        for (index, cap) in caps.iter_mut().enumerate().take(named) {
            let address = self.read_buffer(sender, EXTRA_CAPS_INDEX + index);
            let found = self.system.lookup(sender, address);
            *cap = Some(found.map_err(|failure| Fault::Capability {
                address,
                receiving: false,
                failure,
            })?);
        }
        Ok(caps)
    }

    /// Writes the kernel's answer in place of the message of a thread that invoked an object.
    pub(crate) fn answer(
        &mut self,
        threads: &mut Threads,
        thread: ThreadId,
        label: u64,
        words: &[u64],
    ) {
        let info = self.set_message(threads, thread, label, words);
        let context = &mut threads[thread].context;
        context[BADGE_REGISTER] = 0;
        context[INFO_REGISTER] = info.to_word();
    }

    /// Writes a message from the kernel. Drops the words that the receiver has no room for.
    fn set_message(
        &mut self,
        threads: &mut Threads,
        receiver: ThreadId,
        label: u64,
        words: &[u64],
    ) -> MessageInfo {
        let count = threads[receiver].message_words(words.len() as u8);
        for (index, word) in words.iter().enumerate().take(count) {
            self.set_word(threads, receiver, index, *word);
        }
        MessageInfo::new(label, count as u8)
    }

    /// Reads a word of the message in a thread's registers and IPC buffer.
    pub(crate) fn word(&mut self, threads: &Threads, thread: ThreadId, index: usize) -> u64 {
        match MESSAGE_REGISTERS.get(index) {
            Some(register) => threads[thread].context[*register],
            None => self.read_buffer(thread, 1 + index),
        }
    }

    fn set_word(&mut self, threads: &mut Threads, thread: ThreadId, index: usize, word: u64) {
        match MESSAGE_REGISTERS.get(index) {
            Some(register) => threads[thread].context[*register] = word,
            None => self.write_buffer(thread, 1 + index, word),
        }
    }

    pub(crate) fn read_buffer(&mut self, thread: ThreadId, index: usize) -> u64 {
        if thread == self.system.monitor_thread() {
            self.monitor.read_buffer(index)
        } else {
            self.machine.read_ipc_buffer(thread, index)
        }
    }

    fn write_buffer(&mut self, thread: ThreadId, index: usize, word: u64) {
        if thread == self.system.monitor_thread() {
            self.monitor.write_buffer(index, word);
        } else {
            self.machine.write_ipc_buffer(thread, index, word);
        }
    }
}
