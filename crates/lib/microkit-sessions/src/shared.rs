//! A session with several owners in one protection domain.

use core::fmt;
use core::marker::PhantomData;

use sel4_microkit::{Channel, IncarnationWord, MayCall};

use crate::session::{close, is_panicking};
use crate::{CloseError, Connection, OpenError, SessionId};

/// A place for one session that any number of owners share: the first opens it, and the last one
/// that is dropped closes it. It needs no heap; with one, `Rc<Session>` does the same.
///
/// ```
/// use microkit_sessions::{Connection, OpenError, Owner, SessionId, Shared};
/// use sel4_microkit::Channel;
///
/// const SERVER: Channel = Channel::new(1);
///
/// static TERMINAL: Shared = Shared::new(SERVER);
///
/// /// For each part of the program that wants one.
/// fn terminal(
///     server: &Connection,
///     open: fn() -> Result<SessionId, OpenError>,
/// ) -> Result<Owner, OpenError> {
///     TERMINAL.owner(server, open)
/// }
/// ```
///
/// A protection domain (PD) has one thread, and closing is one call: between the moment when the last
/// owner goes and the server's reply, no other code of the PD runs. Whoever wants the session next
/// finds none and opens another, which has another number: no close that was meant for the old one
/// can be for the new one, even if it came late.
#[derive(Debug)]
pub struct Shared<C = Channel> {
    channel: C,
    owners: IncarnationWord,
    /// While there are owners.
    number: IncarnationWord,
}

/// One of the owners of a [`Shared`] session.
///
/// ```compile_fail,E0277
/// # use microkit_sessions::Owner;
/// fn sent<T: Send>(_: T) {}
/// fn elsewhere(owner: Owner) {
///     sent(owner);
/// }
/// ```
#[must_use = "a session whose last owner is dropped is closed"]
pub struct Owner<C: MayCall + 'static = Channel> {
    shared: &'static Shared<C>,
    _is_of_one_thread: PhantomData<*const ()>,
}

impl<C: MayCall> Shared<C> {
    /// A place for a session with the server at the other end of `channel`.
    pub const fn new(channel: C) -> Self {
        Self {
            channel,
            owners: IncarnationWord::new(),
            number: IncarnationWord::new(),
        }
    }

    /// Becomes an owner of the session, which `call` opens if there is none: a call of the server's
    /// protocol that returns its number.
    ///
    /// **Blocks:** as the call, if there is one.
    /// **Errors:** those of the call.
    /// **Panics:** if the connection is over another channel.
    #[track_caller]
    pub fn owner<E>(
        &'static self,
        connection: &Connection<C>,
        call: impl FnOnce() -> Result<SessionId, OpenError<E>>,
    ) -> Result<Owner<C>, OpenError<E>> {
        self.check(connection);
        if self.owners.get() == 0 {
            let session = connection.open(call)?;
            // If the call has made owners of its own, theirs is the session, and this one is closed.
            if self.owners.get() == 0 {
                self.number.set(session.into_number());
            }
        }
        Ok(self.another_owner())
    }

    /// How many owners there are.
    pub fn owners(&'static self) -> u64 {
        self.owners.get()
    }

    fn another_owner(&'static self) -> Owner<C> {
        let owners = self.owners.get().checked_add(1);
        self.owners
            .set(owners.expect("so many do not fit in memory, or were forgotten"));
        Owner {
            shared: self,
            _is_of_one_thread: PhantomData,
        }
    }

    #[track_caller]
    fn check(&self, connection: &Connection<C>) {
        let (own, other) = (self.channel.to_call(), connection.channel().to_call());
        assert!(
            own == other,
            "the session is with the server of channel {}, the connection with that of channel {}",
            own.index(),
            other.index()
        );
    }
}

impl<C: MayCall> Owner<C> {
    /// The session's number, for the calls of the server's protocol.
    pub fn id(&self) -> SessionId {
        SessionId::new(self.shared.number.get())
    }

    /// The channel to the server.
    pub fn channel(&self) -> C {
        self.shared.channel
    }

    /// Opens another session for all owners, if the one that they have is still `gone`: what the
    /// server refuses as [`Stale`](crate::Refused::Stale) or [`NotOpen`](crate::Refused::NotOpen).
    /// Of several owners that find it gone, only the first opens another.
    ///
    /// **Blocks:** as the call, if there is one, and for a close.
    /// **Errors:** those of the call; the owners have the session then that they had.
    /// **Panics:** if the connection is over another channel.
    #[track_caller]
    pub fn renew<E>(
        &self,
        gone: &SessionId,
        connection: &Connection<C>,
        call: impl FnOnce() -> Result<SessionId, OpenError<E>>,
    ) -> Result<(), OpenError<E>> {
        self.shared.check(connection);
        if self.id() != *gone {
            return Ok(());
        }
        let session = connection.open(call)?;
        if self.id() == *gone {
            self.shared.number.set(session.into_number());
            // It is closed already, unless whoever says that it is gone is wrong.
            close(self.shared.channel, gone.serial()).ok();
        }
        Ok(())
    }

    /// As a drop, but says what was wrong if this was the last owner, and how many are left.
    ///
    /// **Blocks:** if it is the last one, until the reply comes.
    /// **Errors:** as [`Session::close`](crate::Session::close).
    /// **Panics:** as `Channel::pp_call`.
    #[track_caller]
    pub fn release(self) -> Result<u64, CloseError> {
        let shared = self.shared;
        core::mem::forget(self);
        shared.release()
    }
}

impl<C: MayCall> Shared<C> {
    #[track_caller]
    fn release(&'static self) -> Result<u64, CloseError> {
        let left = self.owners.get() - 1;
        self.owners.set(left);
        if left == 0 {
            let number = self.number.get();
            self.number.set(0);
            close(self.channel, number)?;
        }
        Ok(left)
    }
}

/// One owner more.
impl<C: MayCall> Clone for Owner<C> {
    fn clone(&self) -> Self {
        self.shared.another_owner()
    }
}

impl<C: MayCall> Drop for Owner<C> {
    fn drop(&mut self) {
        if !is_panicking() {
            self.shared.release().ok();
        }
    }
}

impl<C: MayCall + fmt::Debug> fmt::Debug for Owner<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owner")
            .field("channel", &self.shared.channel)
            .field("number", &self.shared.number.get())
            .finish()
    }
}
