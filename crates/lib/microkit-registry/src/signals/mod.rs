//! Notifications with an outcome: the sender can check whether the receiver has observed each
//! notification.
//!
//! A seL4 notification is one bit. Notifications that arrive before the receiver waits merge, so
//! the receiver cannot count them. If the receiver dies, pending notifications are lost, and the
//! sender cannot detect the loss. Therefore, the sender and the receiver share a few words. The
//! sender counts each signal and then notifies. The receiver counts the signals that it has
//! observed.
//!
//! [`Sender::signal`] returns an error or a [`Ticket`]. [`Sender::outcome`] returns the state of a
//! ticket:
//!
//! * [`Observed`](Outcome::Observed): the receiver has taken the signal. Signals that merged into
//!   one notification are all observed, because [`Receiver::take`] returns the number of signals
//!   sent.
//! * [`Lost`](Outcome::Lost): the receiver was restarted or is dead. The receiver may have taken
//!   the signal before, but the sender cannot detect this.
//! * [`Pending`](Outcome::Pending): the receiver has been notified and has not taken the signal
//!   yet.
//!
//! ```text
//!            signal()                 receiver takes it
//!   (none) ───────────► Pending ─────────────────────────► Observed
//!                          │  receiver restarts, or detach()
//!                          └──────────────────────────────► Lost
//! ```
//!
//! The sender uses the registry to detect the death of the receiver. Call [`Sender::attach`] after
//! each lookup that finds the service. Call [`Sender::detach`] after a lookup that does not find
//! the service.
//!
//! The shared words are a memory region that is zero at boot and that both PDs map with `rw`. Each
//! direction needs its own words. Neither end trusts the other: each end keeps its own counts in
//! private memory. A malicious peer can affect only the signals between the two ends, and cannot
//! cause a panic.
//!
//! ```
//! use microkit_registry::signals::{Outcome, Receiver, Sender, WORDS};
//! # use sel4_microkit::SharedWord;
//! # #[derive(Copy, Clone)] struct Nobody;
//! # impl sel4_microkit::MayNotify for Nobody {
//! #     fn to_notify(self) -> sel4_microkit::Channel { sel4_microkit::Channel::new(0) }
//! # }
//! # let words: &'static [SharedWord] = Box::leak((0..WORDS).map(|_| SharedWord::new(0)).collect());
//! # sel4_microkit::host::ProtectionDomain { notifications: 1, ..Default::default() }.set();
//! # use sel4::sys::host::{HostBuffer, Registers};
//! # let kernel = |_: &mut Registers, _: Option<HostBuffer<'_>>| {};
//! # sel4::sys::host::install(Some(std::rc::Rc::new(kernel)));
//! # sel4::set_ipc_buffer(sel4::sys::host::new_ipc_buffer());
//! # const RECEIVER: Nobody = Nobody;
//!
//! // In each of the two PDs: let words = shared_words!(bell, bell_size, SharedWord);
//! let mut sender = Sender::new(words, RECEIVER);
//! assert!(sender.attach().is_err(), "there is no receiver yet");
//!
//! let mut receiver = Receiver::new(words);
//! sender.attach()?;
//! let first = sender.signal()?;
//! let second = sender.signal()?;
//! assert_eq!(sender.outcome(first), Outcome::Pending);
//! assert_eq!(receiver.take(), Ok(2));
//! assert_eq!(sender.outcome(second), Outcome::Observed);
//!
//! let third = sender.signal()?;
//! let mut receiver = Receiver::new(words); // It was restarted.
//! assert_eq!(receiver.take(), Ok(0));
//! assert_eq!(sender.outcome(third), Outcome::Lost);
//! # Ok::<(), microkit_registry::signals::NoReceiver>(())
//! ```

mod receiver;
mod sender;

pub use receiver::{Broken, Receiver};
pub use sender::{NoReceiver, Outcome, Sender, Ticket};

use sel4_microkit::SharedWord;

/// The number of words that a sender and a receiver share.
///
/// Each end writes only its own cache line of 64 bytes, so the ends do not contend for a cache
/// line.
pub const WORDS: usize = 2 * LINE;

/// The number of words in a cache line.
const LINE: usize = 8;

/// The shared words. The sender writes `sent_to` and `sent`, and the receiver writes `epoch` and
/// `seen`.
#[derive(Debug)]
struct Shared {
    /// The receiver epoch that the sender is attached to.
    sent_to: &'static SharedWord,
    /// The number of signals sent to the epoch `sent_to`.
    sent: &'static SharedWord,
    /// The receiver's epoch: the number of its incarnations, or 0 before the first. In contrast,
    /// the registry's [`Epoch`](crate::Epoch) counts registrations.
    epoch: &'static SharedWord,
    /// The number of signals that the receiver's current incarnation has observed.
    seen: &'static SharedWord,
}

impl Shared {
    #[track_caller]
    fn new(words: &'static [SharedWord]) -> Self {
        assert!(
            words.len() >= WORDS,
            "signals need {WORDS} words, but there are {}",
            words.len()
        );
        Self {
            sent_to: &words[0],
            sent: &words[1],
            epoch: &words[LINE],
            seen: &words[LINE + 1],
        }
    }
}
