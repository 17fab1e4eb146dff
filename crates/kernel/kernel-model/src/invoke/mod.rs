//! Invocations: what a message to a kernel object asks for (seL4 manual, *API Reference*; seL4's
//! `decodeInvocation`).
//!
//! For each kind of object there is one function. It first checks everything that could be wrong,
//! in seL4's order, and changes nothing before the last check has passed. Errors go back to the
//! caller. The parameters of a function name the state that its object may change.

pub(crate) mod irq_handler;
pub(crate) mod sched_context;
pub(crate) mod tcb;
pub(crate) mod vspace;

use crate::cap::Cap;
use crate::error::InvocationError;
use crate::ids::ThreadId;
use crate::messages::{ExtraCaps, Messages};
use crate::sched::{Scheduler, ThreadState};

/// A message to a kernel object.
#[derive(Debug)]
pub(crate) struct Invocation<'a> {
    /// The thread that sends it.
    pub(crate) caller: ThreadId,
    /// The label, which says what to do.
    pub(crate) label: u64,
    /// The number of words.
    pub(crate) length: usize,
    /// The capabilities that it names.
    pub(crate) extra_caps: &'a ExtraCaps,
    /// The caller waits for an answer.
    pub(crate) call: bool,
}

impl Invocation<'_> {
    /// Returns the first capability that the message names.
    fn first_cap(&self) -> Result<Cap, InvocationError> {
        self.extra_caps[0].ok_or(InvocationError::TruncatedMessage)
    }

    /// Returns the capabilities of a message that names as many as a message can.
    fn all_caps(&self) -> Result<[Cap; 3], InvocationError> {
        match *self.extra_caps {
            [Some(first), Some(second), Some(third)] => Ok([first, second, third]),
            _ => Err(InvocationError::TruncatedMessage),
        }
    }

    /// Checks that the message has at least this number of words.
    fn needs_words(&self, count: usize) -> Result<(), InvocationError> {
        if self.length < count {
            return Err(InvocationError::TruncatedMessage);
        }
        Ok(())
    }

    /// Reads a word of the message.
    fn argument(&self, sched: &Scheduler, messages: &mut Messages<'_>, index: usize) -> u64 {
        messages.word(sched.threads(), self.caller, index)
    }

    /// Completes the invocation with an answer that has words.
    fn answer(&self, sched: &mut Scheduler, messages: &mut Messages<'_>, words: &[u64]) {
        if self.call {
            messages.answer(sched.threads_mut(), self.caller, 0, words);
        }
        sched.set_state(self.caller, ThreadState::Running);
    }
}
