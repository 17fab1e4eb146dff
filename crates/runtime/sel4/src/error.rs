//! The errors of invocations.

use core::{fmt, result};

use crate::Word;

/// The result of an invocation.
pub type Result<T> = result::Result<T, Error>;

/// The reason why the kernel rejected an invocation (`seL4_Error`; seL4 manual, *Error Codes*).
///
/// ```
/// use sel4::Error;
///
/// assert_eq!(Error::from_label(0), None);
/// assert_eq!(Error::from_label(8), Some(Error::DeleteFirst));
/// ```
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
#[repr(u64)]
#[non_exhaustive]
pub enum Error {
    /// An argument is not valid.
    InvalidArgument = 1,
    /// The invoked capability, or a capability argument, is missing or of the wrong type.
    InvalidCapability = 2,
    /// The object never allows this operation, or does not allow it in the object's current state.
    IllegalOperation = 3,
    /// An argument is out of range.
    RangeError = 4,
    /// An address is not aligned.
    AlignmentError = 5,
    /// A capability pointer does not lead to a slot.
    FailedLookup = 6,
    /// The message has fewer words or capabilities than the invocation needs.
    TruncatedMessage = 7,
    /// The destination slot is not empty.
    DeleteFirst = 8,
    /// The capabilities derived from this capability must be revoked first.
    RevokeFirst = 9,
    /// There is not enough memory.
    NotEnoughMemory = 10,
    /// The kernel returned an unknown error label.
    Unknown = u64::MAX,
}

impl Error {
    /// Converts the label of an invocation's reply to an error. Returns `None` for success.
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
            Self::InvalidCapability => "a capability is of the wrong type or missing",
            Self::IllegalOperation => "the object cannot do that, or not now",
            Self::RangeError => "an argument is out of range",
            Self::AlignmentError => "an address is not aligned",
            Self::FailedLookup => "a capability pointer does not lead to a slot",
            Self::TruncatedMessage => "the message is too short",
            Self::DeleteFirst => "the slot is not empty: delete its capability first",
            Self::RevokeFirst => "the capability has derived capabilities: revoke them first",
            Self::NotEnoughMemory => "there is not enough memory",
            Self::Unknown => "the kernel returned an unknown error",
        })
    }
}

impl core::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_label_of_the_kernel_is_one_error() {
        assert_eq!(Error::from_label(0), None);
        for label in 1..=10 {
            let error = Error::from_label(label).expect("an error");
            assert_eq!(error as u64, label);
        }
        assert_eq!(Error::from_label(11), Some(Error::Unknown));
    }
}
