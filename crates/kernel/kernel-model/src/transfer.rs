//! Moving messages between threads: words in registers and IPC buffers, and the badges of
//! capabilities (seL4 manual, *Message Passing*, *Capability Transfer*).

use crate::cap::Cap;
use crate::context::{BADGE_REGISTER, INFO_REGISTER, MESSAGE_REGISTERS};
use crate::cspace::LookupFailure;
use crate::fault::Fault;
use crate::ids::{EndpointId, ThreadId};
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::message_info::MessageInfo;
use crate::numbers::{FAST_MESSAGE_WORDS, MAX_EXTRA_CAPS, MAX_MESSAGE_WORDS};

/// The capabilities that a message names.
pub(crate) type ExtraCaps = [Option<Cap>; MAX_EXTRA_CAPS];

/// Where the capabilities of a message, and their badges, lie in an IPC buffer: behind the tag, the
/// words and the user data.
const EXTRA_CAPS_INDEX: usize = 1 + MAX_MESSAGE_WORDS + 1;

impl Kernel {
    /// Sends a message, or the fault that the sender waits to have handled (`doIPCTransfer`).
    pub(crate) fn transfer(
        &mut self,
        machine: &mut dyn Machine,
        sender: ThreadId,
        endpoint: Option<EndpointId>,
        badge: u64,
        can_grant: bool,
        receiver: ThreadId,
    ) {
        let info = match self.threads[sender].fault {
            None => self.transfer_message(machine, sender, endpoint, can_grant, receiver),
            Some(fault) => self.transfer_fault(machine, sender, fault, receiver),
        };
        let context = &mut self.threads[receiver].context;
        context[INFO_REGISTER] = info.to_word();
        context[BADGE_REGISTER] = badge;
    }

    fn transfer_message(
        &mut self,
        machine: &mut dyn Machine,
        sender: ThreadId,
        endpoint: Option<EndpointId>,
        can_grant: bool,
        receiver: ThreadId,
    ) -> MessageInfo {
        let info = MessageInfo::from_word(self.threads[sender].context[INFO_REGISTER]);
        let count = self
            .words_with(sender, info.length)
            .min(self.words_with(receiver, info.length));
        let words = self.threads[sender].context.x;
        let to = &mut self.threads[receiver].context.x;
        match count {
            0 => {}
            1 => to[2] = words[2],
            2 => to[2..4].copy_from_slice(&words[2..4]),
            3 => to[2..5].copy_from_slice(&words[2..5]),
            _ => to[2..6].copy_from_slice(&words[2..6]),
        }
        if count > FAST_MESSAGE_WORDS {
            let monitor = self.monitor_thread();
            if sender == monitor || receiver == monitor {
                for index in FAST_MESSAGE_WORDS..count {
                    let word = self.message_word(machine, sender, index);
                    self.set_message_word(machine, receiver, index, word);
                }
            } else {
                machine.copy_ipc_buffer(sender, receiver, 1 + FAST_MESSAGE_WORDS..1 + count);
            }
        }
        let mut received = MessageInfo::new(info.label, count as u8);
        if can_grant && info.extra_caps != 0 && self.threads[receiver].has_ipc_buffer {
            let caps = self.extra_caps(machine, sender, info).unwrap_or_default();
            received.extra_caps = self.transfer_badges(machine, &caps, endpoint, receiver);
            received.caps_unwrapped = (1 << received.extra_caps) - 1;
        }
        received
    }

    /// Sends the badges of capabilities to the endpoint through which the message goes, up to the
    /// first capability that is another (`transferCaps`). That one and those behind it do not
    /// arrive: a PD has no slot to receive capabilities in.
    fn transfer_badges(
        &mut self,
        machine: &mut dyn Machine,
        caps: &ExtraCaps,
        through: Option<EndpointId>,
        receiver: ThreadId,
    ) -> u8 {
        let mut count = 0;
        for cap in caps {
            match cap {
                Some(Cap::Endpoint(cap)) if Some(cap.endpoint) == through => {
                    let index = EXTRA_CAPS_INDEX + usize::from(count);
                    self.write_buffer(machine, receiver, index, cap.badge);
                    count += 1;
                }
                _ => break,
            }
        }
        count
    }

    fn transfer_fault(
        &mut self,
        machine: &mut dyn Machine,
        sender: ThreadId,
        fault: Fault,
        receiver: ThreadId,
    ) -> MessageInfo {
        let consumed = match (fault, self.threads[sender].sched_context) {
            (Fault::Timeout { .. }, Some(sched_context)) => Some(self.take_consumed(sched_context)),
            _ => None,
        };
        let words = fault.words(&self.threads[sender].context, consumed);
        self.set_message(machine, receiver, fault.label(), words.as_slice())
    }

    /// Looks up the capabilities that a thread's message names (`lookupExtraCaps`).
    pub(crate) fn extra_caps(
        &self,
        machine: &mut dyn Machine,
        sender: ThreadId,
        info: MessageInfo,
    ) -> Result<ExtraCaps, Fault> {
        let mut caps = ExtraCaps::default();
        if !self.threads[sender].has_ipc_buffer {
            return Ok(caps);
        }
        let named = usize::from(info.extra_caps);
        for (index, cap) in caps.iter_mut().enumerate().take(named) {
            let address = self.read_buffer(machine, sender, EXTRA_CAPS_INDEX + index);
            let found = self.lookup(sender, address);
            *cap = Some(found.map_err(|failure| Fault::Capability {
                address,
                receiving: false,
                failure,
            })?);
        }
        Ok(caps)
    }

    /// Follows a capability pointer in a thread's CSpace.
    pub(crate) fn lookup(&self, thread: ThreadId, cptr: u64) -> Result<Cap, LookupFailure> {
        match self.system.cspaces.get(thread.index()) {
            Some(cspace) => cspace.lookup(cptr),
            None => Err(LookupFailure::InvalidRoot),
        }
    }

    /// Gives a thread that invoked an object an answer, in place of its message.
    pub(crate) fn answer(
        &mut self,
        machine: &mut dyn Machine,
        thread: ThreadId,
        label: u64,
        words: &[u64],
    ) {
        let info = self.set_message(machine, thread, label, words);
        let context = &mut self.threads[thread].context;
        context[BADGE_REGISTER] = 0;
        context[INFO_REGISTER] = info.to_word();
    }

    /// Writes a message from the kernel, as many of its words as the receiver has room for.
    fn set_message(
        &mut self,
        machine: &mut dyn Machine,
        receiver: ThreadId,
        label: u64,
        words: &[u64],
    ) -> MessageInfo {
        let count = self.words_with(receiver, words.len() as u8);
        for (index, word) in words.iter().enumerate().take(count) {
            self.set_message_word(machine, receiver, index, *word);
        }
        MessageInfo::new(label, count as u8)
    }

    /// How many of so many words a thread can send or receive: without an IPC buffer, only those
    /// in registers.
    pub(crate) fn words_with(&self, thread: ThreadId, length: u8) -> usize {
        let length = usize::from(length);
        if self.threads[thread].has_ipc_buffer {
            length
        } else {
            length.min(FAST_MESSAGE_WORDS)
        }
    }

    /// A word of the message in a thread's registers and buffer.
    pub(crate) fn message_word(
        &self,
        machine: &mut dyn Machine,
        thread: ThreadId,
        index: usize,
    ) -> u64 {
        match MESSAGE_REGISTERS.get(index) {
            Some(register) => self.threads[thread].context[*register],
            None => self.read_buffer(machine, thread, 1 + index),
        }
    }

    fn set_message_word(
        &mut self,
        machine: &mut dyn Machine,
        thread: ThreadId,
        index: usize,
        word: u64,
    ) {
        match MESSAGE_REGISTERS.get(index) {
            Some(register) => self.threads[thread].context[*register] = word,
            None => self.write_buffer(machine, thread, 1 + index, word),
        }
    }

    pub(crate) fn read_buffer(
        &self,
        machine: &mut dyn Machine,
        thread: ThreadId,
        index: usize,
    ) -> u64 {
        if thread == self.monitor_thread() {
            self.monitor.read_buffer(index)
        } else {
            machine.read_ipc_buffer(thread, index)
        }
    }

    fn write_buffer(
        &mut self,
        machine: &mut dyn Machine,
        thread: ThreadId,
        index: usize,
        word: u64,
    ) {
        if thread == self.monitor_thread() {
            self.monitor.write_buffer(index, word);
        } else {
            machine.write_ipc_buffer(thread, index, word);
        }
    }
}
