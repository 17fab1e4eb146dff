//! System calls that fail because a test wants them to.

use std::fmt;

use kernel_model::numbers::syscall;
use kernel_model::{Cap, InvocationError, Kernel, ThreadId, UserContext};

use crate::call::destination;

/// How a system call can be made to fail.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The kernel refuses the invocation, and says so to who called; who only sends is not told
    /// (seL4 manual, *Errors*).
    Refused(InvocationError),
    /// There is no capability where there should be one: whoever uses it in a way that waits faults
    /// (seL4 manual, *Capability Faults*); a send that does not wait does nothing.
    NoCapability,
}

/// Every way in which a kernel object can refuse an invocation.
const REFUSALS: [Failure; 5] = [
    Failure::Refused(InvocationError::InvalidArgument(0)),
    Failure::Refused(InvocationError::InvalidCapability(0)),
    Failure::Refused(InvocationError::IllegalOperation),
    Failure::Refused(InvocationError::RangeError { min: 0, max: 0 }),
    Failure::Refused(InvocationError::TruncatedMessage),
];

/// All of them.
const INVOCATION: [Failure; 6] = [
    REFUSALS[0],
    REFUSALS[1],
    REFUSALS[2],
    REFUSALS[3],
    REFUSALS[4],
    Failure::NoCapability,
];

/// How the system call of a thread with these registers can fail.
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
            // Who only sends is told nothing: one refusal is like another.
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
