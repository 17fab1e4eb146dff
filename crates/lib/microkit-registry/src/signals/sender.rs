//! The end that notifies.

use core::fmt;
use core::sync::atomic::Ordering;

use sel4_microkit::{Channel, MayNotify, SharedWord};

use super::Shared;

/// The end that sends.
#[derive(Debug)]
pub struct Sender<C = Channel> {
    shared: Shared,
    channel: C,
    /// The life of the receiver that is sent to; none before the first.
    life: u64,
    /// How many were sent to it.
    sent: u64,
    is_attached: bool,
}

/// A signal that was sent.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
#[must_use = "what became of it is to be asked"]
pub struct Ticket {
    life: u64,
    number: u64,
}

/// What became of a signal.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has taken it.
    Observed,
    /// The receiver lives, has been notified, and has not taken it yet.
    Pending,
    /// The receiver was restarted, or is dead, and was not seen to take it.
    Lost,
}

/// There is no receiver, or another life of it than the one attached to: nothing was sent.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct NoReceiver;

impl<C: MayNotify> Sender<C> {
    /// Takes the sender's end of `words`, which has no other sender; `channel` leads to the receiver.
    /// It is attached to no receiver yet.
    ///
    /// **Panics:** if there are fewer than [`WORDS`](super::WORDS) words.
    #[track_caller]
    pub fn new(words: &'static [SharedWord], channel: C) -> Self {
        Self {
            shared: Shared::new(words),
            channel,
            life: 0,
            sent: 0,
            is_attached: false,
        }
    }

    /// From now on sends to the life of the receiver that there is now. To be called when the
    /// receiver was found, and whenever it was found again. If it is the same life, nothing changes.
    ///
    /// **Blocks:** never. **Errors:** there was no receiver yet.
    pub fn attach(&mut self) -> Result<(), NoReceiver> {
        // Acquire: who sees the life sees that it has seen none.
        let life = self.shared.life.load(Ordering::Acquire);
        self.is_attached = life != 0;
        if life == 0 {
            return Err(NoReceiver);
        }
        if life == self.life {
            return Ok(());
        }
        let last = self.shared.sent_to.load(Ordering::Relaxed);
        self.life = life;
        self.sent = 0;
        if last == life {
            // An earlier life of this end has sent to it already.
            self.sent = self.shared.sent.load(Ordering::Relaxed);
        } else {
            // In this order: who sees that signals are for it sees none that were for another.
            self.shared.sent.store(0, Ordering::Release);
            self.shared.sent_to.store(life, Ordering::Release);
        }
        Ok(())
    }

    /// The receiver is dead, as the registry has said. What it was not seen to take is lost, and
    /// [`signal`](Self::signal) refuses, until [`attach`](Self::attach).
    pub fn detach(&mut self) {
        self.is_attached = false;
    }

    /// Signals the receiver: it is notified, and one more was sent.
    ///
    /// **Blocks:** never. **Errors:** nothing was sent: attach first, or anew.
    /// **Panics:** as `Channel::notify`.
    #[track_caller]
    pub fn signal(&mut self) -> Result<Ticket, NoReceiver> {
        if !self.is_attached || self.shared.life.load(Ordering::Acquire) != self.life {
            return Err(NoReceiver);
        }
        // After 2^64 signals, or a lie of the receiver's, which can write over what an earlier life
        // of this end has counted.
        self.sent = self.sent.checked_add(1).ok_or(NoReceiver)?;
        // Release: who sees it sees what was written before the signal.
        self.shared.sent.store(self.sent, Ordering::Release);
        self.channel.to_notify().notify();
        Ok(Ticket {
            life: self.life,
            number: self.sent,
        })
    }

    /// What became of a signal.
    ///
    /// **Blocks:** never.
    pub fn outcome(&self, ticket: Ticket) -> Outcome {
        // In this order: if the life is the ticket's afterwards, then what was seen is of that life.
        let seen = self.shared.seen.load(Ordering::Acquire);
        let life = self.shared.life.load(Ordering::Acquire);
        if life != ticket.life {
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
        f.write_str("the receiver is not there, or was restarted: look it up, and attach anew")
    }
}

impl core::error::Error for NoReceiver {}
