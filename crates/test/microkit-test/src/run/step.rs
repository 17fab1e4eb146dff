//! What has happened, in words.

use std::fmt;

use kernel_model::Fault;

use crate::{Call, Failure};

/// Something that a protection domain has done, or that was done to it.
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
    /// The protection domain that has made it, or that it was made to.
    pub const fn protection_domain(&self) -> &'static str {
        self.name
    }

    /// The system call, if it is one.
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
