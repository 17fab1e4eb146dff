//! The registry as a protection domain.

use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, MessageInfo, RestartReply, SharedWord, restart_reply,
};

use crate::protocol::FORGOTTEN;
use crate::{
    Directory, DirectoryServer, Epoch, LookupReply, Name, NotAllowed, NotFound, RegistryState,
    Table,
};

/// The handler of a registry's protection domain.
///
/// Who calls is known by the channel. Whatever anybody sends is answered, and changes nothing but
/// what the table lets the caller change.
///
/// **Needs:** that it has the higher priority of both on every channel (Microkit wants so of whom
/// others call), and that it may notify every client.
#[derive(Debug)]
pub struct Registry {
    state: RegistryState,
}

impl Registry {
    /// Begins a life of the registry.
    ///
    /// `lasting` is a memory region that is mapped into the registry alone. It begins as zeros, and
    /// the system keeps it when the registry is restarted: what is registered stays so. Who had
    /// called the registry, and was not answered when it was stopped, is answered with its first
    /// wait that the call is to be made again, which [`Names`](crate::Names) does. All clients are
    /// notified, since what they were to be told may be lost.
    ///
    /// **Blocks:** never.
    /// **Panics:** if `lasting` has fewer words than one, and one for each service of the table.
    pub fn new(table: &'static Table, lasting: &'static [SharedWord]) -> Self {
        let state = RegistryState::new(table, lasting);
        tell(state.opened());
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

    // Inlined, so that the record is in the registry's program, and not in those of its clients.
    #[inline]
    fn restart_reply(&self) -> Option<RestartReply> {
        Some(restart_reply!(FORGOTTEN))
    }

    /// Anybody may notify the registry, and nobody has a reason to.
    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        Ok(())
    }
}

/// The state, as it is open to one caller. What changes it is complete before anybody is notified.
struct Call<'a> {
    state: &'a mut RegistryState,
    caller: Channel,
}

impl Directory for Call<'_> {
    fn begin(&mut self) {
        tell(self.state.begin(self.caller));
    }

    fn register(&mut self, name: Name) -> Result<Epoch, NotAllowed> {
        let (epoch, told) = self.state.register(self.caller, name)?;
        tell(told);
        Ok(epoch)
    }

    fn withdraw(&mut self, name: Name) -> Result<(), NotAllowed> {
        self.state.withdraw(self.caller, name).map(tell)
    }

    fn lookup(&mut self, name: Name) -> Result<LookupReply, NotFound> {
        self.state.lookup(self.caller, name).ok_or(NotFound)
    }

    fn forget(&mut self, name: Name) {
        self.state.forget(self.caller, name);
    }
}

fn tell(channels: ChannelSet) {
    for channel in channels {
        channel.notify();
    }
}
