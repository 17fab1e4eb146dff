//! The end that is notified.

use core::fmt;
use core::sync::atomic::Ordering;

use sel4_microkit::SharedWord;

use super::Shared;

/// The end that receives.
#[derive(Debug)]
pub struct Receiver {
    shared: Shared,
    life: u64,
    seen: u64,
}

/// The sender has counted backwards: what it sends means nothing from then on.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Broken;

impl Receiver {
    /// Takes the receiver's end of `words`, which has no other receiver, and begins a life of it:
    /// what was sent to an earlier one is lost, as its sender can tell. To be done before the
    /// service is registered, so that who finds it can send to it.
    ///
    /// **Panics:** if there are fewer than [`WORDS`](super::WORDS) words.
    #[track_caller]
    pub fn new(words: &'static [SharedWord]) -> Self {
        let shared = Shared::new(words);
        // Not 0, whatever the sender has written there.
        let life = shared.life.load(Ordering::Relaxed).wrapping_add(1).max(1);
        // In this order: who sees the new life sees that it has seen none.
        shared.seen.store(0, Ordering::Release);
        shared.life.store(life, Ordering::Release);
        Self {
            shared,
            life,
            seen: 0,
        }
    }

    /// How many signals were sent that were not taken: any number, if the sender lies.
    ///
    /// **Blocks:** never. **Errors:** the sender is broken.
    pub fn waiting(&self) -> Result<u64, Broken> {
        // In this order, with `Sender::attach`.
        if self.shared.sent_to.load(Ordering::Acquire) != self.life {
            return Ok(0);
        }
        let sent = self.shared.sent.load(Ordering::Acquire);
        sent.checked_sub(self.seen).ok_or(Broken)
    }

    /// Takes so many of the signals that are [waiting](Self::waiting): from now on they are observed.
    /// To be called after they were acted on, if the sender is to know that they were.
    ///
    /// **Blocks:** never.
    pub fn observed(&mut self, count: u64) {
        self.seen = self.seen.saturating_add(count);
        // Release: who sees it sees what was done before.
        self.shared.seen.store(self.seen, Ordering::Release);
    }

    /// Takes all signals that are waiting, and says how many.
    ///
    /// **Blocks:** never. **Errors:** the sender is broken.
    pub fn take(&mut self) -> Result<u64, Broken> {
        let count = self.waiting()?;
        if count > 0 {
            self.observed(count);
        }
        Ok(count)
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the sender has counted its signals backwards")
    }
}

impl core::error::Error for Broken {}
