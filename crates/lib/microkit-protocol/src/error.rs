//! What can go wrong with a call.

use core::convert::Infallible;
use core::fmt;

/// Why a call has no result.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum CallError<E = Infallible> {
    /// The method's own error.
    Method(E),
    /// The server did not take the request. A client made by the same protocol never meets it after
    /// its `connect`, as long as the other end is the same server.
    Refused(Refusal),
    /// The reply is none of this protocol: the server is another, or wrong.
    BadReply,
}

/// Why a server does not take a request.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no method with that number.
    UnknownMethod,
    /// The message has fewer or more words than the method's arguments.
    WrongLength,
    /// The words are no values of the types of the arguments.
    InvalidArgument,
    /// The client was made by another version of the protocol.
    OtherVersion,
    /// The server was restarted by its parent before it replied: see [`RESTARTED`]. The request may
    /// have been executed, wholly, in part or not at all.
    Restarted,
}

/// The label with which a restarted server answers the call that its earlier incarnation has
/// received and not answered. The client's call returns [`Refusal::Restarted`].
///
/// ```
/// use microkit_protocol::RESTARTED;
/// use sel4_microkit::{Handler, Infallible, RestartReply, restart_reply};
///
/// struct Server;
///
/// impl Handler for Server {
///     type Error = Infallible;
///
///     fn restart_reply(&self) -> Option<RestartReply> {
///         Some(restart_reply!(RESTARTED))
///     }
/// }
/// ```
///
/// A server that does not write this leaves that client blocked.
pub const RESTARTED: u64 = Refusal::Restarted.label();

/// Words are no value of a type.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Invalid;

/// Labels of replies.
pub(crate) mod label {
    pub(crate) const RESULT: u64 = 0;
    pub(crate) const METHOD_ERROR: u64 = 1;
    pub(crate) const FIRST_REFUSAL: u64 = 2;
}

impl Refusal {
    /// All of them; what labels their replies is `label::FIRST_REFUSAL` and up.
    const ALL: [Self; 5] = [
        Self::UnknownMethod,
        Self::WrongLength,
        Self::InvalidArgument,
        Self::OtherVersion,
        Self::Restarted,
    ];

    pub(crate) const fn label(self) -> u64 {
        label::FIRST_REFUSAL + self as u64
    }

    pub(crate) fn of_label(label: u64) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|refusal| refusal.label() == label)
    }
}

impl From<Invalid> for Refusal {
    fn from(_: Invalid) -> Self {
        Self::InvalidArgument
    }
}

impl<E: fmt::Display> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Method(error) => error.fmt(f),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::BadReply => f.write_str("the server's reply is none of this protocol"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownMethod => "the server has no such method",
            Self::WrongLength => "the server wants a message of another length",
            Self::InvalidArgument => "an argument is no value of its type",
            Self::OtherVersion => {
                "client and server were made by different versions of the protocol: build both anew"
            }
            Self::Restarted => {
                "the server was restarted before it replied, and may have executed the request or not"
            }
        })
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the words are no value of the type")
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for CallError<E> {}
impl core::error::Error for Refusal {}
impl core::error::Error for Invalid {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_a_label_of_its_own() {
        for (refusal, label) in Refusal::ALL.into_iter().zip(2..) {
            assert_eq!(refusal.label(), label);
            assert_eq!(Refusal::of_label(label), Some(refusal));
        }
        assert_eq!(Refusal::of_label(7), None);
        assert_eq!(Refusal::of_label(label::RESULT), None);
        assert_eq!(Refusal::of_label(label::METHOD_ERROR), None);
    }
}
