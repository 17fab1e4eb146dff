//! Notifications with an outcome: the sender can tell whether the receiver observed each one.
//!
//! A notification of seL4 is a bit. Notifications that arrive before the receiver waits merge into
//! one. So the receiver cannot know how many were sent. When the receiver dies, the notifications
//! that it did not take are gone, and the sender cannot know that. Therefore sender and receiver
//! share a few words: the sender counts the signals that it sends and then notifies, and the
//! receiver counts those that it has observed.
//!
//! [`Sender::signal`] returns an error or a [`Ticket`]. [`Sender::outcome`] returns the state of a
//! ticket:
//!
//! * [`Observed`](Outcome::Observed): the receiver has taken the signal. Signals that merged into
//!   one notification are all observed, because [`Receiver::take`] returns how many were sent.
//! * [`Lost`](Outcome::Lost): the receiver was restarted or is dead, and the sender has not seen
//!   that it took the signal.
//! * [`Pending`](Outcome::Pending): neither. The receiver has been notified and has not taken the
//!   signal yet.
//!
//! ```text
//!            signal()                 receiver takes it
//!   (none) ───────────► Pending ─────────────────────────► Observed
//!                          │  receiver restarts, or detach()
//!                          └──────────────────────────────► Lost
//! ```
//!
//! The registry tells the sender whether the receiver lives. Call [`Sender::attach`] whenever a
//! lookup finds the service, and [`Sender::detach`] when a lookup finds it no more.
//!
//! The shared words are a memory region that is zero at boot and that both PDs map with `rw`. Each
//! direction needs its own words. Neither end trusts the other: each keeps its own counts in
//! private memory. Whatever the peer writes to the shared words, this end does not panic, and only
//! signals between these two are affected.
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
/// Each end writes only its own cache line of 64 bytes, so that the two do not contend for one.
pub const WORDS: usize = 2 * LINE;

/// The words of a cache line.
const LINE: usize = 8;

/// The shared words: the sender writes the first two, and the receiver writes the other two.
#[derive(Debug)]
struct Shared {
    /// The epoch of the receiver that the sender is attached to.
    sent_to: &'static SharedWord,
    /// The number of signals sent to that epoch.
    sent: &'static SharedWord,
    /// The receiver's epoch: its incarnations, counted from 1. It is 0 before the first. It is not
    /// the registry's [`Epoch`](crate::Epoch), which counts registrations.
    epoch: &'static SharedWord,
    /// The number of signals that this incarnation has observed.
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
