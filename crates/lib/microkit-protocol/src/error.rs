//! The error types of a call.

use core::convert::Infallible;
use core::fmt;

/// The error of a call.
///
/// ```
/// use microkit_protocol::{CallError, Refusal};
///
/// fn explain(error: CallError<&'static str>) -> &'static str {
///     match error {
///         CallError::Method(error) => error,
///         CallError::Refused(Refusal::Restarted) => "call again if the request may run twice",
///         CallError::Refused(_) => "the server refused the request",
///         CallError::BadReply => "the peer does not serve this protocol",
///     }
/// }
/// assert_eq!(explain(CallError::Method("disk full")), "disk full");
/// ```
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum CallError<E = Infallible> {
    /// The method returned this error.
    Method(E),
    /// The server refused the request. After a successful `connect` to the same server, the only
    /// refusal that a client sees is [`Refusal::Restarted`].
    Refused(Refusal),
    /// The reply does not belong to this protocol. The peer is another server, or has a bug.
    BadReply,
}

/// The reason why a server refuses a request.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The label of the request does not belong to a method.
    UnknownMethod,
    /// The number of words in the request is wrong for the method's arguments.
    WrongLength,
    /// An argument's words are not a value of its type.
    InvalidArgument,
    /// The client was built with another version of the protocol.
    OtherVersion,
    /// The server's parent restarted the server before the reply: see [`RESTARTED`]. The server may
    /// have executed the request completely, partly or not at all.
    Restarted,
}

/// The label of a restarted server's reply to a call that the last incarnation received and did not
/// answer. The client's call returns [`Refusal::Restarted`].
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
/// Without a `restart_reply`, the client of an unanswered call stays blocked.
pub const RESTARTED: u64 = Refusal::Restarted.label();

/// The error of [`Message::take`](crate::Message::take): the words are not a value of the type.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Invalid;

/// The labels of replies.
pub(crate) mod label {
    pub(crate) const RESULT: u64 = 0;
    pub(crate) const METHOD_ERROR: u64 = 1;
    pub(crate) const FIRST_REFUSAL: u64 = 2;
}

impl Refusal {
    /// All refusals, in the order of their labels. The first label is `label::FIRST_REFUSAL`.
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

    pub(crate) fn from_label(label: u64) -> Option<Self> {
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
            Self::BadReply => f.write_str("the server's reply does not belong to this protocol"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownMethod => "the server has no such method",
            Self::WrongLength => "the server expects a message of another length",
            Self::InvalidArgument => "an argument is not a value of its type",
            Self::OtherVersion => {
                "client and server were built with different versions of the protocol: build both again"
            }
            Self::Restarted => {
                "the server was restarted before it replied, and may have executed the request or not"
            }
        })
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the words are not a value of the type")
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
            assert_eq!(Refusal::from_label(label), Some(refusal));
        }
        assert_eq!(Refusal::from_label(7), None);
        assert_eq!(Refusal::from_label(label::RESULT), None);
        assert_eq!(Refusal::from_label(label::METHOD_ERROR), None);
    }
}
