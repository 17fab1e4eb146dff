//! The sender of signals.

use core::fmt;
use core::sync::atomic::Ordering;

use sel4_microkit::{Channel, MayNotify, SharedWord};

use super::Shared;

/// Sends signals: see the [module's documentation](super).
///
/// ```
/// use microkit_registry::signals::{NoReceiver, Outcome, Sender, Ticket};
///
/// /// Sends a signal again if the receiver was restarted before it observed the first one.
/// fn repeat_if_lost(sender: &mut Sender, ticket: Ticket) -> Result<Ticket, NoReceiver> {
///     match sender.outcome(ticket) {
///         Outcome::Observed | Outcome::Pending => Ok(ticket),
///         Outcome::Lost => {
///             sender.attach()?;
///             sender.signal()
///         }
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Sender<C = Channel> {
    shared: Shared,
    channel: C,
    /// The receiver epoch that this sender is attached to, or 0 before the first `attach`.
    epoch: u64,
    /// The number of signals sent to the epoch `epoch`.
    sent: u64,
    is_attached: bool,
}

/// Identifies a signal that was sent, for [`Sender::outcome`].
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
#[must_use = "only the ticket tells whether the signal was observed"]
pub struct Ticket {
    epoch: u64,
    number: u64,
}

/// The outcome of a signal.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has taken the signal.
    Observed,
    /// The receiver has been notified and has not taken the signal yet.
    Pending,
    /// The receiver was restarted or is dead. The receiver may have taken the signal before, but
    /// the sender cannot detect this.
    Lost,
}

/// The receiver has never started, or the sender is not attached to the receiver's current epoch.
/// No signal was sent.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct NoReceiver;

impl<C: MayNotify> Sender<C> {
    /// Creates the sender for `words`. There must be no other sender for these words. `channel` is
    /// the channel to the receiver.
    ///
    /// The sender is not attached: call [`attach`](Self::attach) before the first signal.
    ///
    /// # Panics
    ///
    /// Panics if there are fewer than [`WORDS`](super::WORDS) words.
    #[track_caller]
    pub fn new(words: &'static [SharedWord], channel: C) -> Self {
        Self {
            shared: Shared::new(words),
            channel,
            epoch: 0,
            sent: 0,
            is_attached: false,
        }
    }

    /// Attaches to the receiver's current epoch.
    ///
    /// Call this after each lookup that finds the receiver. If the receiver was not restarted, the
    /// counts of signals stay the same.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`NoReceiver`] if the receiver has never started.
    pub fn attach(&mut self) -> Result<(), NoReceiver> {
        // Acquire: a sender that sees the new epoch also sees the reset of `seen`.
        let epoch = self.shared.epoch.load(Ordering::Acquire);
        self.is_attached = epoch != 0;
        if epoch == 0 {
            return Err(NoReceiver);
        }
        if epoch == self.epoch {
            return Ok(());
        }
        let last = self.shared.sent_to.load(Ordering::Relaxed);
        self.epoch = epoch;
        self.sent = 0;
        if last == epoch {
            // The last incarnation of this sender has already sent to this epoch.
            self.sent = self.shared.sent.load(Ordering::Relaxed);
        } else {
            // Reset `sent` first: a receiver that sees its own epoch in `sent_to` must not see the
            // count of another epoch.
            self.shared.sent.store(0, Ordering::Release);
            self.shared.sent_to.store(epoch, Ordering::Release);
        }
        Ok(())
    }

    /// Detaches from a receiver that is dead according to the registry.
    ///
    /// Signals that were not observed are lost. [`signal`](Self::signal) returns an error until the
    /// next [`attach`](Self::attach).
    pub fn detach(&mut self) {
        self.is_attached = false;
    }

    /// Counts a signal and notifies the receiver.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`NoReceiver`] if the sender is not attached to the receiver's current epoch. After
    /// this error, look the receiver up and attach again.
    ///
    /// # Panics
    ///
    /// Panics if `Channel::notify` panics.
    #[track_caller]
    pub fn signal(&mut self) -> Result<Ticket, NoReceiver> {
        if !self.is_attached || self.shared.epoch.load(Ordering::Acquire) != self.epoch {
            return Err(NoReceiver);
        }
        // The count can overflow if a malicious receiver overwrites `sent`: after a restart of the
        // sender, `attach` continues from `sent`.
        self.sent = self.sent.checked_add(1).ok_or(NoReceiver)?;
        // Release: a receiver that sees the count also sees the sender's earlier writes.
        self.shared.sent.store(self.sent, Ordering::Release);
        self.channel.to_notify().notify();
        Ok(Ticket {
            epoch: self.epoch,
            number: self.sent,
        })
    }

    /// Returns the outcome of a signal.
    ///
    /// **Blocking:** never.
    pub fn outcome(&self, ticket: Ticket) -> Outcome {
        // Load `seen` first: if the epoch is then still the ticket's epoch, `seen` belongs to that
        // epoch.
        let seen = self.shared.seen.load(Ordering::Acquire);
        let epoch = self.shared.epoch.load(Ordering::Acquire);
        if epoch != ticket.epoch {
            Outcome::Lost
        } else if seen >= ticket.number {
            Outcome::Observed
        } else if self.is_attached {
            Outcome::Pending
        } else {
            Outcome::Lost
        }
    }
}

impl fmt::Display for NoReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the receiver has not started, or was restarted: look it up, and attach again")
    }
}

impl core::error::Error for NoReceiver {}
