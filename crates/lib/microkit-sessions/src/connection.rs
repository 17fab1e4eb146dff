//! The client's side: a server of sessions at the other end of a channel.

use core::fmt;
use core::marker::PhantomData;

use microkit_protocol::CallError;
use sel4_microkit::{Channel, IncarnationWord, MayCall, MessageInfo};

use crate::wire::{VERSION, reply, request};
use crate::{ConnectError, OpenError, ReportError, Session, SessionError, SessionId};

/// A server of sessions, which knows of this life of the protection domain (PD).
///
/// Whoever wants one connects, as often as they like: the server is told once in each life that it
/// has begun, and closes what an earlier life has left. What is open in this life, the sessions of
/// other libraries among it, stays open.
#[derive(Copy, Clone)]
pub struct Connection<C = Channel> {
    channel: C,
    _is_of_one_thread: PhantomData<*const ()>,
}

/// The channels, as bits, whose servers know of this life.
static CONNECTED: IncarnationWord = IncarnationWord::new();

impl<C: MayCall> Connection<C> {
    /// Connects with the server at the other end.
    ///
    /// **Blocks:** the first time in a life, until the reply comes; later not at all.
    /// **Errors:** the other end is no server of sessions, or of another version.
    /// **Panics:** as `Channel::pp_call`.
    #[track_caller]
    pub fn connect(channel: C) -> Result<Self, ConnectError> {
        let bit = 1 << channel.to_call().index();
        // From here to the end nothing else of this PD runs.
        if CONNECTED.get() & bit == 0 {
            let (info, word) = call(channel, request::CONNECT, VERSION);
            match (info.label(), info.count()) {
                (reply::DONE, 1) if word == VERSION => CONNECTED.set(CONNECTED.get() | bit),
                (reply::OTHER_VERSION, _) | (reply::DONE, 1) => {
                    return Err(ConnectError::OtherVersion);
                }
                _ => return Err(ConnectError::BadReply),
            }
        }
        Ok(Self {
            channel,
            _is_of_one_thread: PhantomData,
        })
    }

    /// The channel.
    pub const fn channel(&self) -> C {
        self.channel
    }

    /// Opens a session by a call of the server's protocol that returns its number.
    ///
    /// **Blocks:** as the call.
    /// **Errors:** those of the call: see [`Refused`](crate::Refused).
    #[track_caller]
    pub fn open<E>(
        &self,
        call: impl FnOnce() -> Result<SessionId, OpenError<E>>,
    ) -> Result<Session<C>, CallError<SessionError<E>>> {
        Ok(Session::new(self.channel, call()?.serial()))
    }

    /// Tells the server that another of its clients has come to its end and does not begin again, so
    /// that it closes the sessions which that has left. `client` is the server's own channel to it.
    ///
    /// Of a child that is restarted nothing need be told, if it connects: that closes them too. A
    /// parent that tells all the same does so before the restart, with the child stopped.
    ///
    /// **Blocks:** until the reply comes.
    /// **Needs:** the right that the server has given by
    /// [`allow_reports`](crate::Sessions::allow_reports).
    /// **Errors:** it has not, or is no server of sessions.
    /// **Panics:** as `Channel::pp_call`.
    #[track_caller]
    pub fn report_end(&self, client: Channel) -> Result<(), ReportError> {
        let (info, _) = call(self.channel, request::REPORT_END, client.index() as u64);
        match info.label() {
            reply::DONE => Ok(()),
            reply::NOT_ALLOWED => Err(ReportError::NotAllowed),
            _ => Err(ReportError::BadReply),
        }
    }
}

impl<C: fmt::Debug> fmt::Debug for Connection<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connection").field(&self.channel).finish()
    }
}

/// A call of one word, in registers: what stands in the message registers stays.
#[track_caller]
pub(crate) fn call(channel: impl MayCall, label: u64, word: u64) -> (MessageInfo, u64) {
    let request = MessageInfo::new(label, 1);
    let (info, words) = channel.to_call().pp_call_with_mrs(request, [word]);
    (info, words[0])
}
