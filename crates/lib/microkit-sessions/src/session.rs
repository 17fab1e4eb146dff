//! The handle of a session.

use core::fmt;
use core::marker::PhantomData;
use core::mem;

use sel4_microkit::{Channel, MayCall};

use crate::connection::call;
use crate::wire::{reply, request};
use crate::{CloseError, SessionId};

/// The only owner of an open session. Dropping a `Session` closes the session.
///
/// ```
/// # use microkit_protocol::protocol;
/// # use microkit_sessions::{Connection, OpenError, SessionError, SessionId};
/// # #[protocol]
/// # trait Files {
/// #     fn open(&mut self, name: u64) -> Result<SessionId, SessionError<()>>;
/// #     fn size(&mut self, file: SessionId) -> Result<u64, SessionError<()>>;
/// # }
/// fn print_size(server: &Connection, files: &FilesClient) -> Result<(), OpenError> {
///     let file = server.open(|| files.open(7))?;
///     sel4_microkit::debug_println!("{} bytes", files.size(file.id())?);
///     if let Err(error) = file.close() {
///         sel4_microkit::debug_println!("{error}");
///     }
///     Ok(())
/// }
/// ```
///
/// A `Session` is neither `Copy` nor `Clone`, and cannot be used after its close:
///
/// ```compile_fail,E0382
/// # use microkit_sessions::Session;
/// fn twice(session: Session) {
///     drop(session);
///     drop(session);
/// }
/// ```
///
/// ```compile_fail,E0382
/// # use microkit_sessions::{Session, SessionId};
/// fn late(session: Session) -> SessionId {
///     session.close().ok();
///     session.id()
/// }
/// ```
///
/// ```compile_fail,E0308
/// # use microkit_sessions::Session;
/// fn copied(session: &Session) -> Session {
///     session.clone()
/// }
/// ```
///
/// ```compile_fail,E0507
/// # use microkit_sessions::Session;
/// fn copied(session: &Session) -> Session {
///     *session
/// }
/// ```
///
/// A `Session` cannot be sent to another thread:
///
/// ```compile_fail,E0277
/// # use microkit_sessions::Session;
/// fn sent<T: Send>(_: T) {}
/// fn elsewhere(session: Session) {
///     sent(session);
/// }
/// ```
///
/// # A drop is a call
///
/// Closing a session is a protected procedure call with one word in a CPU register. The call does
/// not change the message registers, so a session can be dropped while a reply is being built. Like
/// every call, a drop can wait for the server. So a PD that drops sessions must declare the call in
/// its `waits!`. Inside a borrow of the message registers, a drop panics like every other call. The
/// panic message contains the location of the borrow.
///
/// A protection domain (PD) that panics or is stopped does not drop its sessions. The server closes
/// these sessions when the next incarnation of the PD [connects](crate::Connection::connect), or
/// when the parent [reports the death](crate::Connection::report_end) of the PD. A session that was
/// leaked by `mem::forget` is closed in the same way.
///
/// If the server was restarted or has closed the session itself, the server refuses the number, and
/// the drop has no effect.
#[must_use = "a session that is dropped is closed"]
pub struct Session<C: MayCall = Channel> {
    channel: C,
    number: u64,
    _is_of_one_thread: PhantomData<*const ()>,
}

impl<C: MayCall> Session<C> {
    pub(crate) const fn new(channel: C, number: u64) -> Self {
        Self {
            channel,
            number,
            _is_of_one_thread: PhantomData,
        }
    }

    /// Returns the session's identifier, for the calls of the server's protocol.
    pub const fn id(&self) -> SessionId {
        SessionId::new(self.number)
    }

    /// Returns the channel to the server.
    pub const fn channel(&self) -> C {
        self.channel
    }

    /// Closes the session and returns the error that a drop would ignore.
    ///
    /// **Blocking:** until the reply arrives.
    ///
    /// # Errors
    ///
    /// Returns an error if the server has already closed the session or was restarted, or if the
    /// peer is not a session server. The session is closed in every case.
    ///
    /// # Panics
    ///
    /// Panics in the same cases as `Channel::pp_call`.
    #[track_caller]
    pub fn close(self) -> Result<(), CloseError> {
        close(self.channel, self.into_number())
    }

    /// Returns the session's number and gives up the ownership. The caller must close the session.
    pub(crate) fn into_number(self) -> u64 {
        let number = self.number;
        mem::forget(self);
        number
    }
}

impl<C: MayCall> Drop for Session<C> {
    fn drop(&mut self) {
        if !is_panicking() {
            close(self.channel, self.number).ok();
        }
    }
}

impl<C: MayCall + fmt::Debug> fmt::Debug for Session<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("channel", &self.channel)
            .field("number", &self.number)
            .finish()
    }
}

#[track_caller]
pub(crate) fn close(channel: impl MayCall, number: u64) -> Result<(), CloseError> {
    let (info, _) = call(channel, request::CLOSE, number);
    match info.label() {
        reply::DONE => Ok(()),
        reply::NOT_OPEN => Err(CloseError::NotOpen),
        reply::STALE => Err(CloseError::Stale),
        _ => Err(CloseError::BadReply),
    }
}

/// Returns whether a destructor runs because of a panic.
///
/// On the target, a panic does not run destructors. On a host, a panic runs destructors. These
/// destructors must have no effect, so that tests see the behaviour of the target.
pub(crate) fn is_panicking() -> bool {
    #[cfg(target_os = "none")]
    return false;
    #[cfg(not(target_os = "none"))]
    std::thread::panicking()
}
