//! System calls, with their arguments.

use std::fmt;

use kernel_model::numbers::{invocation, syscall};
use kernel_model::{
    CAP_REGISTER, INFO_REGISTER, MESSAGE_REGISTERS, MessageInfo, NB_SEND_RECV_DEST, REPLY_REGISTER,
    Register, UserContext,
};
use microkit_abi::slots;

/// A system call that a PD has made.
///
/// The `Display` text uses the words of Microkit, such as `notifies on channel 1, and waits`.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub struct Call {
    /// The number (`seL4_Syscall_ID`).
    pub number: i64,
    /// The capability that the call sends to, invokes, or replies with.
    pub to: Option<u64>,
    /// The capability that the call receives from.
    pub from: Option<u64>,
    /// The label of the sent message.
    pub label: u64,
    /// The number of words in the sent message.
    pub length: usize,
    /// The first words of the sent message. Words beyond `length` are zero.
    pub words: [u64; MESSAGE_REGISTERS.len()],
}

impl Call {
    /// Decodes the system call that a thread with these registers makes.
    pub(crate) fn of(context: &UserContext) -> Self {
        let number = context[Register::X(7)].cast_signed();
        let to = destination(number).map(|register| context[register]);
        let from = receives(number).then(|| context[CAP_REGISTER]);
        let info = MessageInfo::from_word(context[INFO_REGISTER]);
        let (label, length) = match to {
            Some(_) => (info.label, usize::from(info.length)),
            None => (0, 0),
        };
        let mut words = MESSAGE_REGISTERS.map(|register| context[register]);
        words.iter_mut().skip(length).for_each(|word| *word = 0);
        Self {
            number,
            to,
            from,
            label,
            length,
            words,
        }
    }

    /// Returns the channel that the call notifies.
    pub fn notifies(&self) -> Option<usize> {
        self.slot_above(slots::BASE_OUTPUT_NOTIFICATION)
    }

    /// Returns the channel of the protected procedure that this system call invokes.
    pub fn calls(&self) -> Option<usize> {
        (self.number == syscall::Call)
            .then(|| self.slot_above(slots::BASE_ENDPOINT))
            .flatten()
    }

    /// Returns the channel of the IRQ that the call acknowledges.
    pub fn acknowledges(&self) -> Option<usize> {
        (self.label == invocation::IRQAckIRQ)
            .then(|| self.slot_above(slots::BASE_IRQ))
            .flatten()
    }

    /// Returns the child whose thread (TCB) the call invokes.
    pub fn invokes_child(&self) -> Option<usize> {
        self.slot_above(slots::BASE_TCB)
    }

    /// Returns whether the system call replies to a call or a fault.
    pub fn replies(&self) -> bool {
        self.to == Some(slots::REPLY)
    }

    /// Returns whether the call waits for a message or a notification.
    pub fn waits(&self) -> bool {
        self.from.is_some()
    }

    fn slot_above(&self, base: u64) -> Option<usize> {
        let index = self.to?.checked_sub(base)?;
        (index <= microkit_abi::limits::MAX_CHANNEL_ID).then_some(index as usize)
    }
}

/// Returns the register that holds the capability of a call's destination.
pub(crate) fn destination(number: i64) -> Option<Register> {
    match number {
        syscall::Call | syscall::Send | syscall::NBSend => Some(CAP_REGISTER),
        syscall::ReplyRecv | syscall::NBSendWait => Some(REPLY_REGISTER),
        syscall::NBSendRecv => Some(NB_SEND_RECV_DEST),
        _ => None,
    }
}

fn receives(number: i64) -> bool {
    matches!(
        number,
        syscall::ReplyRecv
            | syscall::NBSendRecv
            | syscall::NBSendWait
            | syscall::Recv
            | syscall::NBRecv
            | syscall::Wait
            | syscall::NBWait
    )
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(to) = self.to {
            let shown = self.length.min(self.words.len());
            let words = &self.words[..shown];
            let more = if self.length > shown { ", …" } else { "" };
            let (label, length) = (self.label, self.length);
            if let Some(channel) = self.notifies() {
                write!(f, "notifies on channel {channel}")?;
            } else if let Some(channel) = self.acknowledges() {
                write!(f, "acknowledges the interrupt of channel {channel}")?;
            } else if let Some(channel) = self.calls() {
                write!(
                    f,
                    "calls on channel {channel}: label {label}, {words:x?}{more}"
                )?;
            } else if let Some(child) = self.invokes_child() {
                write!(f, "invokes child {child}: label {label}, {words:x?}{more}")?;
            } else if self.replies() {
                write!(f, "replies: label {label}, {words:x?}{more}")?;
            } else if to == slots::MONITOR_ENDPOINT {
                f.write_str("gives up its scheduling context")?;
            } else {
                write!(f, "sends {length} words with label {label} to {to:#x}")?;
            }
        }
        match (self.to, self.from) {
            (Some(_), Some(_)) => f.write_str(", and waits"),
            (None, Some(_)) if matches!(self.number, syscall::NBRecv | syscall::NBWait) => {
                f.write_str("polls")
            }
            (None, Some(_)) => f.write_str("waits"),
            (Some(_), None) => Ok(()),
            (None, None) if self.number == syscall::Yield => f.write_str("yields"),
            (None, None) => write!(f, "makes system call {}", self.number),
        }
    }
}
