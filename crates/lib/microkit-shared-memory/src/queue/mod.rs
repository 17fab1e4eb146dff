//! A queue of records between two protection domains (PDs). Either end may be restarted at any
//! time.
//!
//! Each end has its own memory, and the peer only reads this memory. The memory contains a
//! [`Place`](place::Place), a sleep word and a word with the shape of the records. The producer's
//! memory also contains the records. [`end`] has the code common to both ends.
//!
//! ```text
//!     producer's memory                            consumer's memory
//!     ┌───────┬───────┬───────┬─────────┐          ┌───────┬───────┬───────┐
//!     │ place │ sleep │ shape │ records │          │ place │ sleep │ shape │
//!     └───────┴───────┴───────┴─────────┘          └───────┴───────┴───────┘
//! ```
//!
//! 1. Opening an end begins a new incarnation of this end, with the next epoch and an empty queue.
//! 2. The peer reads the new epoch in the place, resets its position to 0, reports
//!    [`PeerError::Restarted`] once, and acknowledges the new epoch in its own place.
//! 3. Until this acknowledgement, the new incarnation treats the peer's position as 0.

mod consumer;
mod end;
mod place;
mod producer;

use core::fmt;

use crate::value::words_of;
use crate::{Broken, Memory, TooSmall};

pub use consumer::{Consumer, PopError};
pub use producer::{Producer, PushError};

/// The number of words in a consumer's memory, for any queue.
pub const CONSUMER_WORDS: usize = end::WORDS;

/// Returns the number of words in a producer's memory, for `capacity` records of type `T`. If the
/// number overflows, the result is larger than any memory.
pub const fn producer_words<T>(capacity: usize) -> usize {
    capacity
        .saturating_mul(words_of::<T>())
        .saturating_add(end::WORDS)
}

/// An error that the peer has caused.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum PeerError {
    /// The peer was restarted. The queue is now empty for both ends, and its old records are
    /// dropped. This error is returned once for each restart.
    Restarted,
    /// The peer has written an impossible position: more records taken than put, or more records
    /// put than fit. No record was read or written. The error persists until the peer is restarted
    /// or writes a possible position.
    Broken,
    /// The peer has opened a queue with another record size or capacity.
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

/// Returns the capacity of a queue in these two memories, in records.
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
