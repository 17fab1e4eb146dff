//! Errors of invocations, and the error replies.

use crate::numbers::error;
use core::fmt;

/// The reason why an invocation failed (`seL4_Error`; seL4 manual, *Errors*). The caller gets a
/// reply with the error as its label and the details in its words.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub enum InvocationError {
    /// The argument with this number is not valid.
    InvalidArgument(u64),
    /// The capability with this number is of the wrong kind. Number 0 is the invoked capability.
    InvalidCapability(u64),
    /// The object does not support this operation, or does not support it in the current state.
    IllegalOperation,
    /// A number is out of range.
    RangeError {
        /// The smallest number allowed.
        min: u64,
        /// The largest number allowed.
        max: u64,
    },
    /// The message has too few words or capabilities.
    TruncatedMessage,
}

impl InvocationError {
    /// Returns the label of the reply.
    pub fn label(self) -> u64 {
        match self {
            Self::InvalidArgument(_) => error::InvalidArgument,
            Self::InvalidCapability(_) => error::InvalidCapability,
            Self::IllegalOperation => error::IllegalOperation,
            Self::RangeError { .. } => error::RangeError,
            Self::TruncatedMessage => error::TruncatedMessage,
        }
    }

    /// Returns the words of the reply, and their number.
    pub(crate) fn words(self) -> ([u64; 2], usize) {
        match self {
            Self::InvalidArgument(number) | Self::InvalidCapability(number) => ([number, 0], 1),
            Self::RangeError { min, max } => ([min, max], 2),
            Self::IllegalOperation | Self::TruncatedMessage => ([0, 0], 0),
        }
    }
}

impl fmt::Display for InvocationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidArgument(number) => write!(f, "invalid argument {number}"),
            Self::InvalidCapability(number) => write!(f, "invalid capability {number}"),
            Self::IllegalOperation => write!(f, "illegal operation"),
            Self::RangeError { min, max } => write!(f, "not in the range {min} to {max}"),
            Self::TruncatedMessage => write!(f, "truncated message"),
        }
    }
}

impl core::error::Error for InvocationError {}
