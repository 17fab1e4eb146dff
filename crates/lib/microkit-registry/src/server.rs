//! The handler of the registry's protection domain.

use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, MessageInfo, RestartReply, SharedWord, restart_reply,
};

use crate::protocol::CALL_AGAIN;
use crate::{
    Directory, DirectoryServer, Epoch, LookupReply, Name, NotAllowed, NotFound, RegistryState,
    Table,
};

/// The handler of a registry's protection domain (PD).
///
/// The channel of a call identifies the caller. The registry answers every request, even a
/// malformed request. A request can change only the state that the table allows its caller to
/// change.
///
/// **Rights:** the registry's PD has a higher priority than all its callers, as Microkit requires
/// for protected procedure calls. The registry may notify every client.
#[derive(Debug)]
pub struct Registry {
    state: RegistryState,
}

impl Registry {
    /// Starts an incarnation of the registry. Call this in `init`.
    ///
    /// `lasting` is a memory region that only the registry maps. The region is zero at boot and
    /// keeps its contents over a restart of the registry, so services stay registered.
    ///
    /// ```
    /// # use microkit_registry::{Name, Registry, Service, Table};
    /// use sel4_microkit::{Channel, SharedWord, shared_words};
    ///
    /// // Usually, `table!` generates this from the system file.
    /// static TABLE: Table = Table::new(
    ///     &[Service { name: Name::new("bell"), provider: Channel::new(1), parent: None }],
    ///     &[],
    /// );
    ///
    /// // #[protection_domain]
    /// fn init() -> Registry {
    ///     Registry::new(&TABLE, shared_words!(lasting, lasting_size, SharedWord))
    /// }
    /// ```
    ///
    /// After a restart, the registry notifies all clients, because its last incarnation may have
    /// died before it notified them. With its first wait, the registry replies to a call that its
    /// last incarnation did not answer. This reply asks the caller to call again.
    /// [`Names`](crate::Names) repeats the call automatically.
    ///
    /// **Blocking:** never.
    ///
    /// # Panics
    ///
    /// Panics if `lasting` has fewer than `n + 1` words, for a table with `n` services.
    pub fn new(table: &'static Table, lasting: &'static [SharedWord]) -> Self {
        let state = RegistryState::new(table, lasting);
        notify_all(state.to_notify_at_start());
        Self { state }
    }
}

impl Handler for Registry {
    type Error = Infallible;

    fn protected(
        &mut self,
        channel: Channel,
        msg_info: MessageInfo,
    ) -> Result<MessageInfo, Infallible> {
        let mut call = Call {
            state: &mut self.state,
            caller: channel,
        };
        Ok(DirectoryServer::dispatch(&mut call, &msg_info))
    }

    // `restart_reply!` adds a record to the ELF file. `#[inline]` keeps the record out of client
    // programs that link this crate.
    #[inline]
    fn restart_reply(&self) -> Option<RestartReply> {
        Some(restart_reply!(CALL_AGAIN))
    }

    /// Ignores notifications. Any peer may send notifications, but the registry does not use them.
    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        Ok(())
    }
}

/// The registry's state, and the caller of the current request.
///
/// Each change is complete before the registry notifies a client. So a client that looks up again
/// immediately sees the change.
struct Call<'a> {
    state: &'a mut RegistryState,
    caller: Channel,
}

impl Directory for Call<'_> {
    fn begin(&mut self) {
        notify_all(self.state.begin(self.caller));
    }

    fn register(&mut self, name: Name) -> Result<Epoch, NotAllowed> {
        let (epoch, to_notify) = self.state.register(self.caller, name)?;
        notify_all(to_notify);
        Ok(epoch)
    }

    fn withdraw(&mut self, name: Name) -> Result<(), NotAllowed> {
        self.state.withdraw(self.caller, name).map(notify_all)
    }

    fn lookup(&mut self, name: Name) -> Result<LookupReply, NotFound> {
        self.state.lookup(self.caller, name).ok_or(NotFound)
    }

    fn forget(&mut self, name: Name) {
        self.state.forget(self.caller, name);
    }
}

fn notify_all(channels: ChannelSet) {
    for channel in channels {
        channel.notify();
    }
}
