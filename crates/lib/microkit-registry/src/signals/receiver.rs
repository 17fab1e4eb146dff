//! The receiver of signals.

use core::fmt;
use core::sync::atomic::Ordering;

use sel4_microkit::SharedWord;

use super::Shared;

/// Receives signals: see the [module's documentation](super).
///
/// ```
/// use microkit_registry::signals::Receiver;
/// use sel4_microkit::{ChannelSet, Handler, Infallible, SharedWord, shared_words};
///
/// struct Bell {
///     receiver: Receiver,
/// }
///
/// // #[protection_domain]
/// fn init() -> Bell {
///     let words = shared_words!(bell, bell_size, SharedWord);
///     Bell { receiver: Receiver::new(words) }
/// }
///
/// impl Handler for Bell {
///     type Error = Infallible;
///
///     fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
///         let count = self.receiver.waiting().unwrap_or(0);
///         // Act on `count` signals here. Then tell the sender.
///         self.receiver.observed(count);
///         Ok(())
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Receiver {
    shared: Shared,
    epoch: u64,
    seen: u64,
}

/// The error of a sender whose count of signals went backwards. The receiver can no longer count
/// the signals of this sender.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Broken;

impl Receiver {
    /// Creates the receiver for `words`. There must be no other receiver for these words.
    ///
    /// The new receiver starts a new epoch. Unobserved signals to an earlier epoch are lost, and
    /// the sender can detect the loss. Call this before the service registers, so that clients that
    /// find the service can attach to the new epoch.
    ///
    /// # Panics
    ///
    /// Panics if there are fewer than [`WORDS`](super::WORDS) words.
    #[track_caller]
    pub fn new(words: &'static [SharedWord]) -> Self {
        let shared = Shared::new(words);
        // The epoch is never 0, even if the sender has overwritten the word.
        let epoch = shared.epoch.load(Ordering::Relaxed).wrapping_add(1).max(1);
        // Reset `seen` first: a sender that sees the new epoch must not see the count of the last
        // epoch.
        shared.seen.store(0, Ordering::Release);
        shared.epoch.store(epoch, Ordering::Release);
        Self {
            shared,
            epoch,
            seen: 0,
        }
    }

    /// Returns the number of signals that were sent and not yet observed. A malicious sender can
    /// cause any result.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`Broken`] if the sender's count went backwards.
    pub fn waiting(&self) -> Result<u64, Broken> {
        // Load `sent_to` first: `Sender::attach` resets `sent` before it sets `sent_to`.
        if self.shared.sent_to.load(Ordering::Acquire) != self.epoch {
            return Ok(0);
        }
        let sent = self.shared.sent.load(Ordering::Acquire);
        sent.checked_sub(self.seen).ok_or(Broken)
    }

    /// Marks `count` of the [waiting](Self::waiting) signals as observed.
    ///
    /// Call this after acting on the signals. If the receiver dies before this call, the sender can
    /// detect that the signals are lost.
    ///
    /// **Blocking:** never.
    pub fn observed(&mut self, count: u64) {
        self.seen = self.seen.saturating_add(count);
        // Release: a sender that sees the count also sees the receiver's writes in response to the
        // signals.
        self.shared.seen.store(self.seen, Ordering::Release);
    }

    /// Marks all waiting signals as observed and returns their number.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`Broken`] if the sender's count went backwards.
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
        f.write_str("the sender's count of signals went backwards")
    }
}

impl core::error::Error for Broken {}
