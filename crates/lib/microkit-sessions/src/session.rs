//! The handle on a session.

use core::fmt;
use core::marker::PhantomData;
use core::mem;

use sel4_microkit::{Channel, MayCall};

use crate::connection::call;
use crate::wire::{reply, request};
use crate::{CloseError, SessionId};

/// An open session, and its only owner: dropped, it closes the session.
///
/// It is neither `Copy` nor `Clone`, and what was closed cannot be used:
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
/// It stays in the thread of its protection domain (PD):
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
/// Closing is a protected call of one word, in registers: what stands in the message registers stays
/// there, so that a session can be dropped while a reply is being made. As every call it can wait for
/// the server, so a PD that drops sessions says so in its `waits!`. Where no call can be made, inside
/// a borrow of the message registers, a drop panics as every call does, and says where the borrow is.
///
/// A PD that panics or is stopped drops nothing. Its sessions are closed when its next life
/// [connects](crate::Connection::connect), or when its parent
/// [reports its end](crate::Connection::report_end). So is one that was given to `mem::forget`.
///
/// After the server was restarted, or has closed the session itself, the server refuses the number,
/// and a drop does nothing.
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

    /// Its number, for the calls of the server's protocol.
    pub const fn id(&self) -> SessionId {
        SessionId::new(self.number)
    }

    /// The channel to the server.
    pub const fn channel(&self) -> C {
        self.channel
    }

    /// Closes it, and says what was wrong with it.
    ///
    /// **Blocks:** until the reply comes.
    /// **Errors:** it was closed by the server, or by the server's end; or the other end is no server
    /// of sessions. There is nothing to close again in any case.
    /// **Panics:** as `Channel::pp_call`.
    #[track_caller]
    pub fn close(self) -> Result<(), CloseError> {
        close(self.channel, self.into_number())
    }

    /// Gives up the ownership: whoever has the number closes it.
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

/// Whether destructors run because of a panic: on the target they never do, and on a host, where they
/// do, they are to do as little.
pub(crate) fn is_panicking() -> bool {
    #[cfg(target_os = "none")]
    return false;
    #[cfg(not(target_os = "none"))]
    std::thread::panicking()
}
