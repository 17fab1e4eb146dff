//! Parties that wake each other by notifications.

use core::cell::Cell;

use sel4_microkit::{Channel, ChannelSet, ipc};

use crate::party::{Members, Notifier, Party, PartyId};

/// The other parties of an arena, each with the channel to it.
///
/// Each two parties have a channel, which may carry other notifications too: what comes while a party
/// waits for a lock is kept for it, [`Party::take_missed`].
#[derive(Debug)]
pub struct Peers {
    channels: &'static [(PartyId, Channel)],
    missed: Cell<ChannelSet>,
}

impl Peers {
    /// These.
    pub fn new(channels: &'static [(PartyId, Channel)]) -> Self {
        Self {
            channels,
            missed: Cell::default(),
        }
    }
}

impl Notifier for Peers {
    fn members(&self) -> Members {
        let parties = self.channels.iter().map(|(party, _)| *party);
        parties.fold(Members::NONE, Members::with)
    }

    /// **Blocks:** never. **Needs:** a channel without `notify="false"`.
    #[track_caller]
    fn notify(&self, party: PartyId) {
        if let Some((_, channel)) = self.channels.iter().find(|(peer, _)| *peer == party) {
            channel.notify();
        }
    }

    /// Waits for any notification, and keeps it.
    ///
    /// **Blocks:** until one comes. **Panics:** if a call or a fault comes, which this cannot answer;
    /// inside a borrow of the message registers.
    #[track_caller]
    fn wait(&self) {
        // Who is called, or has children, takes locks by `poll_lock`.
        let channels = ipc::wait("a lock");
        let mut missed = self.missed.get();
        missed.extend(channels);
        self.missed.set(missed);
    }
}

impl Party<Peers> {
    /// The channels that were notified while this party waited for a lock or a condition, those of
    /// the parties that woke it among them. They are forgotten then.
    #[must_use]
    pub fn take_missed(&self) -> ChannelSet {
        self.notifier().missed.take()
    }
}
