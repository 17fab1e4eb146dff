//! The client's connection to a session server.

use core::fmt;
use core::marker::PhantomData;

use microkit_protocol::CallError;
use sel4_microkit::{Channel, IncarnationWord, MayCall, MessageInfo};

use crate::wire::{VERSION, reply, request};
use crate::{ConnectError, OpenError, ReportError, Session, SessionError, SessionId};

/// A connection of this incarnation of the protection domain (PD) to a session server.
///
/// ```
/// use microkit_protocol::protocol;
/// use microkit_sessions::{Connection, OpenError, SessionError, SessionId};
/// use sel4_microkit::Channel;
///
/// #[protocol]
/// trait Files {
///     fn open(&mut self, name: u64) -> Result<SessionId, SessionError<()>>;
///     fn size(&mut self, file: SessionId) -> Result<u64, SessionError<()>>;
/// }
///
/// fn size_of_file(channel: Channel, name: u64) -> Result<u64, OpenError> {
///     let server = Connection::connect(channel).expect("the peer is a session server");
///     let files = FilesClient::connect(channel).expect("both use one version");
///     let file = server.open(|| files.open(name))?;
///     files.size(file.id())
/// }
/// ```
///
/// Every library of a program can connect separately, any number of times. Only the first call of
/// [`connect`](Self::connect) for a server in an incarnation sends a request. The server then
/// closes the sessions of earlier incarnations. Sessions of this incarnation stay open.
#[derive(Copy, Clone)]
pub struct Connection<C = Channel> {
    channel: C,
    _is_of_one_thread: PhantomData<*const ()>,
}

/// One bit for each channel, set after the channel has connected for the first time in this
/// incarnation. A restart resets the word to 0.
static CONNECTED: IncarnationWord = IncarnationWord::new();

impl<C: MayCall> Connection<C> {
    /// Connects to the server at the other end of `channel`.
    ///
    /// **Blocking:** the first call in an incarnation blocks until the reply arrives. Later calls
    /// never block.
    ///
    /// # Errors
    ///
    /// Returns an error if the peer is not a session server, or uses another version of this crate.
    ///
    /// # Panics
    ///
    /// Panics in the same cases as `Channel::pp_call`.
    #[track_caller]
    pub fn connect(channel: C) -> Result<Self, ConnectError> {
        let bit = 1 << channel.to_call().index();
        // A PD has one thread, so no other call of `connect` can run between this check and the
        // `set` below.
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

    /// Returns the channel.
    pub const fn channel(&self) -> C {
        self.channel
    }

    /// Opens a session. `call` must call the method of the server's protocol that opens the
    /// session.
    ///
    /// **Blocking:** for as long as `call` blocks.
    ///
    /// # Errors
    ///
    /// Returns the error of `call`, for example a [`Refused`](crate::Refused).
    #[track_caller]
    pub fn open<E>(
        &self,
        call: impl FnOnce() -> Result<SessionId, OpenError<E>>,
    ) -> Result<Session<C>, CallError<SessionError<E>>> {
        Ok(Session::new(self.channel, call()?.serial()))
    }

    /// Reports that another client of the server has died. The server closes that client's
    /// sessions.
    ///
    /// `client` is the *server's* channel to that client. Report a dead child that is not
    /// restarted. A restarted child does not need a report: when the child connects again, the
    /// server closes the child's old sessions. If a parent reports a child before a restart, the
    /// child must be stopped.
    ///
    /// ```
    /// # use microkit_sessions::Connection;
    /// use sel4_microkit::{Channel, Child, Handler, MessageInfo};
    ///
    /// const SERVER: Channel = Channel::new(1);
    /// const SERVERS_CHANNEL_TO_CHILD: Channel = Channel::new(3);
    ///
    /// struct Parent;
    ///
    /// impl Handler for Parent {
    ///     type Error = sel4::Error;
    ///
    ///     fn fault(
    ///         &mut self,
    ///         child: Child,
    ///         _: MessageInfo,
    ///     ) -> Result<Option<MessageInfo>, sel4::Error> {
    ///         child.stop()?;
    ///         let server = Connection::connect(SERVER).expect("the peer is a session server");
    ///         server.report_end(SERVERS_CHANNEL_TO_CHILD).expect("the server allows it");
    ///         Ok(None)
    ///     }
    /// }
    /// ```
    ///
    /// **Blocking:** until the reply arrives.
    ///
    /// **Rights:** the server must allow the report with
    /// [`allow_reports`](crate::Sessions::allow_reports).
    ///
    /// # Errors
    ///
    /// Returns an error if the server does not allow the report, or if the peer is not a session
    /// server.
    ///
    /// # Panics
    ///
    /// Panics in the same cases as `Channel::pp_call`.
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

/// Calls the server with one word in CPU registers, so that the message registers in the IPC buffer
/// keep their contents.
#[track_caller]
pub(crate) fn call(channel: impl MayCall, label: u64, word: u64) -> (MessageInfo, u64) {
    let request = MessageInfo::new(label, 1);
    let (info, words) = channel.to_call().pp_call_with_mrs(request, [word]);
    (info, words[0])
}
