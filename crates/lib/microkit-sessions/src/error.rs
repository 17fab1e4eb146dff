//! What can go wrong with a session.

use core::fmt;

use microkit_protocol::{CallError, Invalid, Message};

/// Why a server does not do what a client asks of a session.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// No such session is open. To whoever holds a [`Session`](crate::Session) it means that the
    /// server has closed it.
    NotOpen,
    /// It was opened in an earlier life of the server, and ended with that.
    Stale,
    /// The server has as many sessions as it can have.
    Full,
    /// The client has as many sessions as one client can have.
    Quota,
}

/// The error of a protocol's method that needs a session, or opens one: what is wrong with the
/// session, or the method's own error.
///
/// It travels in messages if `E` does.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum SessionError<E = ()> {
    /// The session is the reason.
    Refused(Refused),
    /// The method's own error.
    Method(E),
}

/// The kind of [`Message`] that a [`SessionError`] is.
#[derive(Debug)]
pub struct InSession<Kind>(core::convert::Infallible, core::marker::PhantomData<Kind>);

/// Why [`Connection::open`](crate::Connection::open) has opened nothing.
pub type OpenError<E = ()> = CallError<SessionError<E>>;

/// Why [`Connection::connect`](crate::Connection::connect) has failed.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum ConnectError {
    /// Client and server were made with different versions of this crate.
    OtherVersion,
    /// The other end is no server of sessions.
    BadReply,
}

/// What has gone wrong in [`Session::close`](crate::Session::close). The session is closed all the
/// same, as far as it was ever open.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum CloseError {
    /// The server had closed it before.
    NotOpen,
    /// The server has begun a new life since the session was opened.
    Stale,
    /// The reply is none to this request: the server is another, or wrong.
    BadReply,
}

/// Why [`Connection::report_end`](crate::Connection::report_end) has failed.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum ReportError {
    /// The server does not take reports of that client from this one.
    NotAllowed,
    /// The reply is none to this request: the server is another, or wrong.
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

/// A word that is 0 for the method's own error, which follows it, or says what is refused.
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
            Self::NotOpen => "the session is not open: the server has closed it, open another",
            Self::Stale => "the server was restarted since the session was opened: open another",
            Self::Full => "the server has no room for another session: try again later",
            Self::Quota => "this client has all the sessions that it can have: close one first",
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
                "client and server have different versions of microkit-sessions: build both anew"
            }
            Self::BadReply => BAD_REPLY,
        })
    }
}

impl fmt::Display for CloseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOpen => "the server had closed the session before",
            Self::Stale => "the session had ended with an earlier life of the server",
            Self::BadReply => BAD_REPLY,
        })
    }
}

impl fmt::Display for ReportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAllowed => {
                "the server does not let this client report the end of that one: see \
                 Sessions::allow_reports"
            }
            Self::BadReply => BAD_REPLY,
        })
    }
}

const BAD_REPLY: &str = "the reply is none of a server of sessions: does the server call \
                         Sessions::answer?";

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
    fn an_error_says_whose_it_is() {
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
    fn an_error_takes_a_word_and_those_of_the_methods_own() {
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
        check(&Refused::Full, "no room");
        check(&Refused::Quota, "close one first");
        check(&SessionError::<u8>::Refused(Refused::Full), "no room");
        check(&SessionError::Method("no such file"), "no such file");
        check(&ConnectError::OtherVersion, "different versions");
        check(&ConnectError::BadReply, "Sessions::answer");
        check(&CloseError::NotOpen, "the server had closed the session");
        check(&CloseError::Stale, "an earlier life of the server");
        check(&CloseError::BadReply, "Sessions::answer");
        check(&ReportError::NotAllowed, "allow_reports");
        check(&ReportError::BadReply, "Sessions::answer");
    }
}
