//! A queue of records between two protection domains (PDs), whose ends may be restarted at any time.
//!
//! Each end has memory of its own, which the peer only reads: a [`Place`](place::Place), a word about
//! sleep, a word about the records, and at the producer the records. [`end`] has what both ends do,
//! [`producer`] and [`consumer`] the rest.
//!
//! ```text
//!     producer's memory                            consumer's memory
//!     ┌───────┬───────┬───────┬─────────┐          ┌───────┬───────┬───────┐
//!     │ place │ sleep │ shape │ records │          │ place │ sleep │ shape │
//!     └───────┴───────┴───────┴─────────┘          └───────┴───────┴───────┘
//! ```
//!
//! 1. To open an end is a new incarnation of it, with the next epoch and an empty queue.
//! 2. The peer sees the new epoch in the place, restarts its position at 0, reports
//!    [`PeerError::Restarted`] once, and writes into its own place which epoch it has met.
//! 3. Until then, the new incarnation takes the peer to be at the beginning.

mod consumer;
mod end;
mod place;
mod producer;

use core::fmt;

use crate::value::words_of;
use crate::{Broken, Memory, TooSmall};

pub use consumer::{Consumer, PopError};
pub use producer::{Producer, PushError};

/// The number of words of the memory of a consumer, for any queue.
pub const CONSUMER_WORDS: usize = end::WORDS;

/// Returns the number of words of the memory of a producer, for `capacity` records of type `T`. If
/// the number overflows, it is larger than any memory.
pub const fn producer_words<T>(capacity: usize) -> usize {
    capacity
        .saturating_mul(words_of::<T>())
        .saturating_add(end::WORDS)
}

/// What is wrong with the peer.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum PeerError {
    /// The peer was restarted. The records in the queue are dropped, and the queue is empty for
    /// both ends. This is reported once.
    Restarted,
    /// The peer has written an impossible position: it has taken more records than were put, or put
    /// more than there is room for. Nothing was read or written. The error stays until the peer is
    /// restarted, or writes a possible position.
    Broken,
    /// The peer has opened a queue of records of another size, or of another number of them.
    OtherShape,
}

impl From<Broken> for PeerError {
    fn from(_: Broken) -> Self {
        Self::Broken
    }
}

impl fmt::Display for PeerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Restarted => {
                "the other end of the queue was restarted: the records in the queue are dropped, \
                 continue with an empty queue"
            }
            Self::Broken => {
                "the other end of the queue has written an impossible position: restart it"
            }
            Self::OtherShape => {
                "the other end of the queue has records of another size, or another number of them: \
                 give both ends the same type and the same part of memory"
            }
        })
    }
}

impl core::error::Error for PeerError {}

/// Returns the number of records that there is room for.
fn capacity<T>(producer: &impl Memory, consumer: &impl Memory) -> Result<u16, TooSmall> {
    let least = [
        (producer_words::<T>(1), producer.words()),
        (CONSUMER_WORDS, consumer.words()),
    ];
    for (needs, has) in least {
        if has < needs {
            return Err(TooSmall { needs, has });
        }
    }
    let slots = (producer.words() - end::WORDS) / words_of::<T>();
    Ok(slots.min(place::MAX_CAPACITY) as u16)
}
