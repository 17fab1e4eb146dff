//! The errors of invocations.

use core::{fmt, result};

use crate::Word;

/// A result whose error is an invocation's.
pub type Result<T> = result::Result<T, Error>;

/// Why the kernel refused an invocation: `seL4_Error` (seL4 manual, *Error Codes*).
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
#[repr(u64)]
#[non_exhaustive]
pub enum Error {
    /// An argument is not valid.
    InvalidArgument = 1,
    /// The capability, or one of those passed with it, is of a wrong type or not there.
    InvalidCapability = 2,
    /// The object cannot do that, or not now.
    IllegalOperation = 3,
    /// An argument is out of range.
    RangeError = 4,
    /// An address is not aligned.
    AlignmentError = 5,
    /// A capability pointer leads nowhere.
    FailedLookup = 6,
    /// The message has fewer words or capabilities than the invocation takes.
    TruncatedMessage = 7,
    /// The slot is not empty.
    DeleteFirst = 8,
    /// The object has children.
    RevokeFirst = 9,
    /// There is not enough memory.
    NotEnoughMemory = 10,
    /// A label that this kernel does not give.
    Unknown = u64::MAX,
}

impl Error {
    /// Reads the label of an invocation's reply: `None` is success.
    pub const fn from_label(label: Word) -> Option<Self> {
        Some(match label {
            0 => return None,
            1 => Self::InvalidArgument,
            2 => Self::InvalidCapability,
            3 => Self::IllegalOperation,
            4 => Self::RangeError,
            5 => Self::AlignmentError,
            6 => Self::FailedLookup,
            7 => Self::TruncatedMessage,
            8 => Self::DeleteFirst,
            9 => Self::RevokeFirst,
            10 => Self::NotEnoughMemory,
            _ => Self::Unknown,
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidArgument => "an argument is not valid",
            Self::InvalidCapability => "a capability is of a wrong type or not there",
            Self::IllegalOperation => "the object cannot do that, or not now",
            Self::RangeError => "an argument is out of range",
            Self::AlignmentError => "an address is not aligned",
            Self::FailedLookup => "a capability pointer leads nowhere",
            Self::TruncatedMessage => "the message is too short",
            Self::DeleteFirst => "the slot is not empty",
            Self::RevokeFirst => "the object has children",
            Self::NotEnoughMemory => "there is not enough memory",
            Self::Unknown => "the kernel gave an error that it does not have",
        })
    }
}

impl core::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_the_kernels_numbers() {
        assert_eq!(Error::from_label(0), None);
        for label in 1..=10 {
            let error = Error::from_label(label).expect("an error");
            assert_eq!(error as u64, label);
        }
        assert_eq!(Error::from_label(11), Some(Error::Unknown));
    }
}
