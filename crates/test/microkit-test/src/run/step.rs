//! The steps of a run, as text.

use std::fmt;

use kernel_model::Fault;

use crate::{Call, Failure};

/// A step of a PD, or an event from outside, such as an IRQ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub(super) name: &'static str,
    pub(super) what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    Call(Call, Option<Failure>),
    Fault(Fault),
    Point,
    Irq(u8),
    Killed,
}

impl Step {
    /// Returns the name of the PD that made the step or received the event.
    pub const fn protection_domain(&self) -> &'static str {
        self.name
    }

    /// Returns the system call, if the step is a system call.
    pub const fn call(&self) -> Option<&Call> {
        match &self.what {
            What::Call(call, _) => Some(call),
            _ => None,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name;
        match &self.what {
            What::Call(call, None) => write!(f, "{name} {call}"),
            What::Call(call, Some(failure)) => write!(f, "{name} {call}; it fails: {failure}"),
            What::Fault(fault) => write!(f, "{name} faults: {fault:x?}"),
            What::Point => write!(f, "{name} is about to use shared memory"),
            What::Irq(channel) => write!(f, "the interrupt of {name}'s channel {channel} comes"),
            What::Killed => write!(f, "{name} is killed"),
        }
    }
}
