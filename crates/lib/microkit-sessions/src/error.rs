//! The errors of sessions.

use core::fmt;

use microkit_protocol::{CallError, Invalid, Message};

/// The reason why a server refuses a request for a session.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// The client has no open session with this number. If the client still has the
    /// [`Session`](crate::Session), the server itself has closed the session.
    NotOpen,
    /// The session was opened in an earlier incarnation of the server, and ended with that
    /// incarnation.
    Stale,
    /// The server's table is full.
    Full,
    /// The client already has the maximum number of sessions for one client.
    Quota,
}

/// The error of a protocol method that opens or uses a session.
///
/// A `SessionError` can be sent in a message if `E` can be sent. The operator `?` converts a
/// [`Refused`] into a `SessionError`:
///
/// ```
/// use microkit_sessions::{SessionError, SessionId, Sessions};
/// use sel4_microkit::Channel;
///
/// fn value(
///     sessions: &Sessions<u64, 4>,
///     client: Channel,
///     id: SessionId,
/// ) -> Result<u64, SessionError<&'static str>> {
///     match sessions.get(client, &id)? {
///         0 => Err(SessionError::Method("no value yet")),
///         value => Ok(*value),
///     }
/// }
/// ```
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum SessionError<E = ()> {
    /// The server refuses the session.
    Refused(Refused),
    /// The method returned this error.
    Method(E),
}

/// Marks the [`Message`] implementation of [`SessionError`].
#[derive(Debug)]
pub struct InSession<Kind>(core::convert::Infallible, core::marker::PhantomData<Kind>);

/// The error of [`Connection::open`](crate::Connection::open).
pub type OpenError<E = ()> = CallError<SessionError<E>>;

/// The error of [`Connection::connect`](crate::Connection::connect).
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum ConnectError {
    /// Client and server use different versions of this crate's messages.
    OtherVersion,
    /// The peer is not a session server.
    BadReply,
}

/// The error of [`Session::close`](crate::Session::close). The session is closed in every case.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum CloseError {
    /// The server had already closed the session.
    NotOpen,
    /// The server was restarted since the session was opened.
    Stale,
    /// The reply is invalid. The peer is not a session server, or has a bug.
    BadReply,
}

/// The error of [`Connection::report_end`](crate::Connection::report_end).
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum ReportError {
    /// The server does not allow this client to report the death of the other client.
    NotAllowed,
    /// The reply is invalid. The peer is not a session server, or has a bug.
    BadReply,
}

impl Refused {
    const ALL: [Self; 4] = [Self::NotOpen, Self::Stale, Self::Full, Self::Quota];
}

impl<E> From<Refused> for SessionError<E> {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

/// The first word is 0 for an error of the method, and the next words are that error. Otherwise the
/// first word is the refusal.
impl<E: Message<Kind>, Kind> Message<InSession<Kind>> for SessionError<E> {
    const WORDS: usize = 1 + E::WORDS;

    fn put(&self, words: &mut [u64]) {
        words.fill(0);
        match self {
            Self::Refused(refused) => words[0] = 1 + *refused as u64,
            Self::Method(error) => error.put(&mut words[1..]),
        }
    }

    fn take(words: &[u64]) -> Result<Self, Invalid> {
        let (&first, rest) = words.split_first().ok_or(Invalid)?;
        if first == 0 {
            return Ok(Self::Method(E::take(rest)?));
        }
        let refused = Refused::ALL
            .into_iter()
            .find(|refused| 1 + *refused as u64 == first);
        refused.map(Self::Refused).ok_or(Invalid)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOpen => "the session is not open, because the server closed it: open another",
            Self::Stale => "the server was restarted since the session was opened: open another",
            Self::Full => "the server's table of sessions is full: try again later",
            Self::Quota => "this client has as many sessions as the server allows: close one first",
        })
    }
}

impl<E: fmt::Display> fmt::Display for SessionError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refused) => refused.fmt(f),
            Self::Method(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherVersion => {
                "client and server have different versions of microkit-sessions: build both again"
            }
            Self::BadReply => BAD_REPLY,
        })
    }
}

impl fmt::Display for CloseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOpen => "the server had already closed the session",
            Self::Stale => "the server was restarted since the session was opened, which closed it",
            Self::BadReply => BAD_REPLY,
        })
    }
}

impl fmt::Display for ReportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAllowed => {
                "the server does not allow this client to report that death: see \
                 Sessions::allow_reports"
            }
            Self::BadReply => BAD_REPLY,
        })
    }
}

const BAD_REPLY: &str = "the peer did not reply like a session server: its handler must call \
                         Sessions::answer";

impl core::error::Error for Refused {}
impl<E: fmt::Debug + fmt::Display> core::error::Error for SessionError<E> {}
impl core::error::Error for ConnectError {}
impl core::error::Error for CloseError {}
impl core::error::Error for ReportError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(error: SessionError<u64>, expect: [u64; 2]) {
        let mut words = [!0; 2];
        error.put(&mut words);
        assert_eq!(words, expect);
        assert_eq!(SessionError::take(&words), Ok(error));
    }

    #[test]
    fn an_error_tells_a_refusal_from_the_methods_error() {
        check(SessionError::Method(7), [0, 7]);
        check(Refused::NotOpen.into(), [1, 0]);
        check(Refused::Stale.into(), [2, 0]);
        check(Refused::Full.into(), [3, 0]);
        check(Refused::Quota.into(), [4, 0]);
        assert_eq!(SessionError::<u64>::take(&[5, 0]), Err(Invalid));
        assert_eq!(SessionError::<u64>::take(&[!0, 0]), Err(Invalid));
        assert_eq!(SessionError::<bool>::take(&[0, 2]), Err(Invalid));
        assert_eq!(SessionError::<u64>::take(&[]), Err(Invalid));
    }

    #[test]
    fn an_error_has_one_word_more_than_the_methods_error() {
        fn words<E: Message<Kind>, Kind>() -> usize {
            <SessionError<E> as Message<InSession<Kind>>>::WORDS
        }
        assert_eq!(words::<(), _>(), 1);
        assert_eq!(words::<u64, _>(), 2);
        assert_eq!(words::<[u64; 3], _>(), 4);
    }

    #[test]
    fn each_error_says_what_is_wrong() {
        let check = |error: &dyn fmt::Display, expect: &str| {
            let text = std::format!("{error}");
            assert!(text.contains(expect), "{text:?} does not say {expect:?}");
        };
        check(&Refused::NotOpen, "not open");
        check(&Refused::Stale, "the server was restarted");
        check(&Refused::Full, "table of sessions is full");
        check(&Refused::Quota, "close one first");
        check(
            &SessionError::<u8>::Refused(Refused::Full),
            "table of sessions is full",
        );
        check(&SessionError::Method("no such file"), "no such file");
        check(&ConnectError::OtherVersion, "different versions");
        check(&ConnectError::BadReply, "Sessions::answer");
        check(&CloseError::NotOpen, "already closed the session");
        check(&CloseError::Stale, "restarted since the session was opened");
        check(&CloseError::BadReply, "Sessions::answer");
        check(&ReportError::NotAllowed, "allow_reports");
        check(&ReportError::BadReply, "Sessions::answer");
    }
}
