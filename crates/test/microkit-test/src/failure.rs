//! Failures of system calls that a test injects.

use std::fmt;

use kernel_model::numbers::syscall;
use kernel_model::{Cap, InvocationError, Kernel, ThreadId, UserContext};

use crate::call::destination;

/// An injected failure of a system call.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The kernel refuses the invocation. A `seL4_Call` gets the error as its reply, and a plain
    /// send gets no answer (seL4 manual, *Errors*).
    Refused(InvocationError),
    /// The capability is missing. Without the capability, a blocking system call faults (seL4
    /// manual, *Capability Faults*). A non-blocking send has no effect.
    NoCapability,
}

/// All errors that a kernel object can return for a refused invocation.
const REFUSALS: [Failure; 5] = [
    Failure::Refused(InvocationError::InvalidArgument(0)),
    Failure::Refused(InvocationError::InvalidCapability(0)),
    Failure::Refused(InvocationError::IllegalOperation),
    Failure::Refused(InvocationError::RangeError { min: 0, max: 0 }),
    Failure::Refused(InvocationError::TruncatedMessage),
];

/// All possible failures of an invocation.
const INVOCATION: [Failure; 6] = [
    REFUSALS[0],
    REFUSALS[1],
    REFUSALS[2],
    REFUSALS[3],
    REFUSALS[4],
    Failure::NoCapability,
];

/// Returns all possible failures of the system call of a thread with these registers.
pub(crate) fn possible(
    kernel: &Kernel,
    thread: ThreadId,
    context: &UserContext,
) -> &'static [Failure] {
    let number = context[kernel_model::Register::X(7)].cast_signed();
    let Some(register) = destination(number) else {
        return match number {
            syscall::Recv | syscall::Wait => &[Failure::NoCapability],
            _ => &[],
        };
    };
    match kernel.cap(thread, context[register]) {
        Cap::IrqHandler(_) | Cap::Thread(_) | Cap::SchedContext(_) | Cap::VSpace(_) => {
            // A plain send gets no answer, so all refusals have the same effect.
            match number {
                syscall::Call => &INVOCATION,
                _ => &INVOCATION[5..],
            }
        }
        Cap::Endpoint(_) | Cap::Notification(_) => &[Failure::NoCapability],
        _ => &[],
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused(InvocationError::InvalidArgument(_)) => "InvalidArgument",
            Self::Refused(InvocationError::InvalidCapability(_)) => "InvalidCapability",
            Self::Refused(InvocationError::IllegalOperation) => "IllegalOperation",
            Self::Refused(InvocationError::RangeError { .. }) => "RangeError",
            Self::Refused(InvocationError::TruncatedMessage) => "TruncatedMessage",
            Self::NoCapability => "NoCapability",
        })
    }
}
