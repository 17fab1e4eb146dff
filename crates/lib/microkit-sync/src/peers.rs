//! The notifier of a protection domain: one channel to each other party.

use core::cell::Cell;

use sel4_microkit::{Channel, ChannelSet, ipc};

use crate::party::{Members, Notifier, Party, PartyId};

/// The other parties of an arena, each with its channel.
///
/// Each pair of parties needs a channel. The channel may also carry other notifications. `Peers`
/// keeps all notifications that arrive while a party waits for a lock. [`Party::take_missed`]
/// returns their channels.
///
/// ```
/// use microkit_sync::{Notifier, PartyId, Peers};
/// use sel4_microkit::Channel;
///
/// const CHANNELS: [(PartyId, Channel); 2] = [
///     (PartyId::new(1), Channel::new(10)),
///     (PartyId::new(2), Channel::new(11)),
/// ];
///
/// let peers = Peers::new(&CHANNELS);
/// assert!(peers.members().contains(PartyId::new(2)));
/// ```
#[derive(Debug)]
pub struct Peers {
    channels: &'static [(PartyId, Channel)],
    missed: Cell<ChannelSet>,
}

impl Peers {
    /// Creates a notifier that reaches these parties.
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

    /// Notifies a party, if it is one of the peers.
    ///
    /// **Blocking:** never.
    /// **Rights:** the channel must not have `notify="false"`.
    #[track_caller]
    fn notify(&self, party: PartyId) {
        if let Some((_, channel)) = self.channels.iter().find(|(peer, _)| *peer == party) {
            channel.notify();
        }
    }

    /// Waits for any notification, and keeps the notification for [`Party::take_missed`].
    ///
    /// **Blocking:** until a notification arrives.
    ///
    /// # Panics
    ///
    /// Panics if a protected procedure call or a fault arrives, because a wait cannot reply to the
    /// sender. Panics inside a borrow of the message registers.
    #[track_caller]
    fn wait(&self) {
        // A PD with callers or children must use `poll_lock` instead.
        let channels = ipc::wait("a lock");
        let mut missed = self.missed.get();
        missed.extend(channels);
        self.missed.set(missed);
    }
}

impl Party<Peers> {
    /// Returns and clears the channels that were notified while this party waited for a lock or a
    /// condition.
    ///
    /// The result includes the channels of the parties that woke this party. Call this method after
    /// each wait, and handle the channels as `Handler::notified` does.
    ///
    /// ```
    /// use microkit_sync::{Party, PartyId, Peers};
    /// use sel4_microkit::Channel;
    ///
    /// const CHANNELS: [(PartyId, Channel); 1] = [(PartyId::new(1), Channel::new(10))];
    ///
    /// let party = Party::new(PartyId::new(0), Peers::new(&CHANNELS));
    /// for channel in party.take_missed() {
    ///     // Handle the notification.
    /// }
    /// ```
    #[must_use]
    pub fn take_missed(&self) -> ChannelSet {
        self.notifier().missed.take()
    }
}
