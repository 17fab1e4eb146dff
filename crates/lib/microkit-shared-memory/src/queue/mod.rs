//! A queue of records between two protection domains.

mod consumer;
mod end;
mod place;
mod producer;

use core::fmt;

use crate::value::words_of;
use crate::{Broken, Memory, TooSmall};

pub use consumer::{Consumer, PopError};
pub use producer::{Producer, PushError};

/// How many words the consumer's memory has, of any queue.
pub const CONSUMER_WORDS: usize = end::WORDS;

/// Returns how many words the producer's memory of a queue has, for so many records of type `T`. If
/// the number overflows, it is more than any memory has.
pub const fn producer_words<T>(capacity: usize) -> usize {
    capacity
        .saturating_mul(words_of::<T>())
        .saturating_add(end::WORDS)
}

/// What is wrong with the other end of a queue.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum PeerError {
    /// It was started anew. What was in the queue is dropped, and the queue is empty for both. This
    /// is told once.
    Restarted,
    /// It says what cannot be: more taken than put, or more put than there is room for. Nothing was
    /// read or written. It stays so until the other end is started anew, or says what can be.
    Broken,
    /// It has opened a queue of records of another size, or of another number of them.
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
                "the other end of the queue was started anew: what was in the queue is dropped, go \
                 on with an empty one"
            }
            Self::Broken => {
                "the other end of the queue has written a position that cannot be: have it restarted"
            }
            Self::OtherShape => {
                "the other end of the queue has records of another size, or another number of them: \
                 give both ends the same type and the same part of memory"
            }
        })
    }
}

impl core::error::Error for PeerError {}

/// How many records there is room for.
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
