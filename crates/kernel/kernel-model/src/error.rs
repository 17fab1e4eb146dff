//! Why an invocation failed, and how the caller is told.

use crate::numbers::error;
use core::fmt;

/// Why an invocation failed (`seL4_Error`; seL4 manual, *Errors*). A caller gets it as the label of
/// a message, with what more there is to say as its words.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub enum InvocationError {
    /// The argument with this number cannot be.
    InvalidArgument(u64),
    /// The capability with this number is of the wrong kind; 0 is the one invoked.
    InvalidCapability(u64),
    /// The object cannot do this, or not now.
    IllegalOperation,
    /// A number is not between these two, both of which it may be.
    RangeError {
        /// The least that it may be.
        min: u64,
        /// The most that it may be.
        max: u64,
    },
    /// The message lacks words or capabilities.
    TruncatedMessage,
}

impl InvocationError {
    /// The label of the reply that says so.
    pub fn label(self) -> u64 {
        match self {
            Self::InvalidArgument(_) => error::InvalidArgument,
            Self::InvalidCapability(_) => error::InvalidCapability,
            Self::IllegalOperation => error::IllegalOperation,
            Self::RangeError { .. } => error::RangeError,
            Self::TruncatedMessage => error::TruncatedMessage,
        }
    }

    /// The words of that reply; how many they are.
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
