//! Notifications of which the sender knows whether they were observed.
//!
//! A notification of seL4 is a bit: those that come before the receiver has taken the first merge
//! with it. None is lost by that, but nobody knows how many there were; and what a receiver had not
//! taken when it died is gone, and nobody is told. So sender and receiver share a few words. The
//! sender counts in them what it sends, and then notifies; the receiver counts what it has seen, and
//! says which life of it has.
//!
//! [`Sender::signal`] either refuses, or gives a [`Ticket`]; and of each ticket it can be asked what
//! [became](Outcome) of it:
//!
//! * [`Observed`](Outcome::Observed): the receiver has taken it, with how many others that does not
//!   matter: that notifications merge is no loss, since [`Receiver::take`] says how many were sent.
//! * [`Lost`](Outcome::Lost): the life of the receiver to which it was sent is over, or the receiver
//!   is dead, and it was not seen to be taken.
//! * [`Pending`](Outcome::Pending): neither. The receiver lives, and has been notified.
//!
//! Who tells the sender that the receiver died is the registry: [`Sender::attach`] when the receiver
//! was found, and again whenever the registry notifies and it is found; [`Sender::detach`] when it is
//! not.
//!
//! The words are a memory region that is zeros at first, and that both map with `rw`, one for each
//! direction. Neither end trusts the other: each keeps its own counts to itself, and whatever the
//! other writes, there is no panic, and nothing but the other's own signals are affected.
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
//! // let words = shared_words!(bell, bell_size, SharedWord); in each of the two PDs
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

/// Words that a sender and a receiver share: a cache line of 64 bytes for each of the two.
pub const WORDS: usize = 2 * LINE;

const LINE: usize = 8;

/// The shared words.
#[derive(Debug)]
struct Shared {
    /// Which life of the receiver the sender sends to. Written by the sender.
    sent_to: &'static SharedWord,
    /// How many it has sent to that life. Written by the sender.
    sent: &'static SharedWord,
    /// Which life of the receiver this is, from 1 on; 0 before the first. Written by the receiver.
    life: &'static SharedWord,
    /// How many that life has seen. Written by the receiver.
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
            life: &words[LINE],
            seen: &words[LINE + 1],
        }
    }
}
