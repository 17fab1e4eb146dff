//! A session with several owners in one protection domain (PD).

use core::fmt;
use core::marker::PhantomData;

use sel4_microkit::{Channel, IncarnationWord, MayCall};

use crate::session::{close, is_panicking};
use crate::{CloseError, Connection, OpenError, SessionId};

/// Holds one session for any number of owners. The first owner opens the session. The drop of the
/// last owner closes the session.
///
/// A `Shared` is a static and does not need a heap. Programs with a heap can use `Rc<Session>`
/// instead.
///
/// ```
/// use microkit_sessions::{Connection, OpenError, Owner, SessionId, Shared};
/// use sel4_microkit::Channel;
///
/// const SERVER: Channel = Channel::new(1);
///
/// static TERMINAL: Shared = Shared::new(SERVER);
///
/// /// Each part of the program that needs the terminal calls this.
/// fn terminal(
///     server: &Connection,
///     open: fn() -> Result<SessionId, OpenError>,
/// ) -> Result<Owner, OpenError> {
///     TERMINAL.owner(server, open)
/// }
/// ```
///
/// An owner never gets a session that is being closed. A PD has one thread, and closing is one
/// call. So other code of the PD cannot run between the drop of the last owner and the server's
/// reply. The next owner opens another session with another number. Therefore even a late close of
/// the old number cannot close the new session.
#[derive(Debug)]
pub struct Shared<C = Channel> {
    channel: C,
    owners: IncarnationWord,
    /// The session's number, which is valid only while the session has owners.
    number: IncarnationWord,
}

/// An owner of a [`Shared`] session. Each clone of an owner is also an owner.
///
/// ```
/// use microkit_sessions::Owner;
///
/// fn give_back(owner: Owner) {
///     let second = owner.clone();
///     drop(owner);
///     // `second` is the last owner here, unless other parts of the program have owners too.
///     if let Err(error) = second.release() {
///         sel4_microkit::debug_println!("{error}");
///     }
/// }
/// ```
///
/// An owner cannot be sent to another thread:
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
    /// Creates a `Shared` for a session with the server at the other end of `channel`.
    pub const fn new(channel: C) -> Self {
        Self {
            channel,
            owners: IncarnationWord::new(),
            number: IncarnationWord::new(),
        }
    }

    /// Returns a new owner of the session. If the session has no owner yet, `call` opens the
    /// session.
    ///
    /// `call` must call the method of the server's protocol that opens the session.
    ///
    /// **Blocking:** for as long as `call` blocks. Does not block if the session already has an
    /// owner.
    ///
    /// # Errors
    ///
    /// Returns the error of `call`.
    ///
    /// # Panics
    ///
    /// Panics if `connection` uses another channel.
    #[track_caller]
    pub fn owner<E>(
        &'static self,
        connection: &Connection<C>,
        call: impl FnOnce() -> Result<SessionId, OpenError<E>>,
    ) -> Result<Owner<C>, OpenError<E>> {
        self.check(connection);
        if self.owners.get() == 0 {
            let session = connection.open(call)?;
            // `call` may itself have created owners. Then the session of these owners is kept, and
            // the drop of `session` closes the new session.
            if self.owners.get() == 0 {
                self.number.set(session.into_number());
            }
        }
        Ok(self.another_owner())
    }

    /// Returns the number of owners.
    pub fn owners(&'static self) -> u64 {
        self.owners.get()
    }

    fn another_owner(&'static self) -> Owner<C> {
        let owners = self.owners.get().checked_add(1);
        self.owners
            .set(owners.expect("the number of owners overflows"));
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
            "the session uses channel {}, but the connection uses channel {}: connect to the session's \
             server",
            own.index(),
            other.index()
        );
    }
}

impl<C: MayCall> Owner<C> {
    /// Returns the session's identifier, for the calls of the server's protocol.
    pub fn id(&self) -> SessionId {
        SessionId::new(self.shared.number.get())
    }

    /// Returns the channel to the server.
    pub fn channel(&self) -> C {
        self.shared.channel
    }

    /// Opens another session for all owners, if the current session is still `gone`.
    ///
    /// Call this method when the server refuses the session as [`Stale`](crate::Refused::Stale) or
    /// [`NotOpen`](crate::Refused::NotOpen). If several owners call this method for the same
    /// session, only the first call opens another session.
    ///
    /// ```
    /// # use microkit_sessions::{Connection, OpenError, Owner, SessionId};
    /// /// Replaces a session that the server has closed.
    /// fn recover(
    ///     owner: &Owner,
    ///     server: &Connection,
    ///     refused: &SessionId,
    ///     open: fn() -> Result<SessionId, OpenError>,
    /// ) -> Result<(), OpenError> {
    ///     owner.renew(refused, server, open)
    /// }
    /// ```
    ///
    /// **Blocking:** for as long as `call` blocks, and then until the old session is closed. Does
    /// not block if the current session is not `gone`.
    ///
    /// # Errors
    ///
    /// Returns the error of `call`. In that case, the owners keep the old session.
    ///
    /// # Panics
    ///
    /// Panics if `connection` uses another channel.
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
            // The old session should be closed already. This call closes a session that is still
            // open, because a session without owners would stay open.
            close(self.shared.channel, gone.serial()).ok();
        }
        Ok(())
    }

    /// Drops the owner and returns the number of remaining owners.
    ///
    /// **Blocking:** for the last owner, until the server's reply arrives. Otherwise never.
    ///
    /// # Errors
    ///
    /// Returns the error of [`Session::close`](crate::Session::close) if this owner is the last.
    ///
    /// # Panics
    ///
    /// Panics in the same cases as `Channel::pp_call`.
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

/// Creates another owner of the same session.
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
