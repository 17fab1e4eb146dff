//! Invocations: requests to a kernel object through a message (seL4 manual, *API Reference*; seL4's
//! `decodeInvocation`).
//!
//! Each kind of object has one function. The function first makes all checks, in seL4's order. The
//! function changes nothing before the last check has passed. The caller of the invocation receives
//! every error. The parameters of the function name the state that the object may change.

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
    /// The thread that sends the message.
    pub(crate) caller: ThreadId,
    /// The label, which selects the operation.
    pub(crate) label: u64,
    /// The number of words.
    pub(crate) length: usize,
    /// The capabilities that the message names.
    pub(crate) extra_caps: &'a ExtraCaps,
    /// Whether the caller waits for an answer.
    pub(crate) call: bool,
}

impl Invocation<'_> {
    /// Returns the first capability that the message names.
    fn first_cap(&self) -> Result<Cap, InvocationError> {
        self.extra_caps[0].ok_or(InvocationError::TruncatedMessage)
    }

    /// Returns the capabilities of a message with the maximum number of capabilities.
    fn all_caps(&self) -> Result<[Cap; 3], InvocationError> {
        match *self.extra_caps {
            [Some(first), Some(second), Some(third)] => Ok([first, second, third]),
            _ => Err(InvocationError::TruncatedMessage),
        }
    }

    /// Checks that the message has at least `count` words.
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

    /// Completes the invocation with an answer of these words.
    fn answer(&self, sched: &mut Scheduler, messages: &mut Messages<'_>, words: &[u64]) {
        if self.call {
            messages.answer(sched.threads_mut(), self.caller, 0, words);
        }
        sched.set_state(self.caller, ThreadState::Running);
    }
}
