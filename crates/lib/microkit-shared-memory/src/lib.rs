//! Memory that protection domains (PDs) share, without trusting each other.
//!
//! | | |
//! | --- | --- |
//! | [`View`] | values of at most a word: each read and write is one access |
//! | [`VersionedWriter`], [`VersionedReader`] | larger values, which one PD writes and others read whole or not at all |
//! | [`Producer`], [`Consumer`] | a queue of records from one PD to another, who notify each other only when one sleeps |
//! | [`ByteProducer`], [`ByteConsumer`] | a queue of bytes from one PD to another, in one region that both write |
//! | [`Pool`], [`Buffers`] | buffers that are filled and read where they are, and whose descriptors go through queues |
//! | [`Lender`], [`Borrower`] | ranges of a region that one PD lends to others, until either is started anew |
//! | [`Bytes`], [`Part`] | memory as bytes, and parts of it |
//!
//! All of them work on [`Memory`]: words that others may write at any time. Each access is that of
//! one atomic word; values are copied in and out, and there is never a reference to shared memory.
//!
//! ```
//! use microkit_shared_memory::{CONSUMER_WORDS, Consumer, Part, Producer};
//! # use sel4_microkit::SharedWord;
//! # let region: &'static [SharedWord] = Box::leak((0..64).map(|_| SharedWord::new(0)).collect());
//!
//! // In each of the two PDs; `region` is REGION.words().
//! let (taken, put) = Part::whole(region).split_at(CONSUMER_WORDS)?;
//!
//! let mut producer: Producer<[u32; 3], _, _> = Producer::open(put, taken)?;
//! producer.push(&[1, 2, 3])?;
//! if producer.must_notify() {
//!     // CONSUMER.notify();
//! }
//!
//! let mut consumer: Consumer<[u32; 3], _, _> = Consumer::open(taken, put)?;
//! assert_eq!(consumer.pop()?, Some([1, 2, 3]));
//! assert_eq!(consumer.pop()?, None);
//! assert!(consumer.may_sleep()?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]

mod byte_queue;
mod bytes;
mod identity;
mod lease;
mod memory;
mod pool;
mod queue;
pub mod ring;
mod value;
mod versioned;
mod view;

pub use byte_queue::{ByteConsumer, ByteProducer};
pub use bytes::{Bytes, OutOfBounds};
pub use lease::{
    Borrower, Epochs, Grant, LEASE_UNIT_BYTES, Lease, LeaseError, Lender, LenderError, Refusal,
    Request, Rights, Terms, board_words,
};
pub use memory::{Memory, Part, TooSmall, WritableMemory};
pub use pool::{Buffer, Buffers, Descriptor, Loan, NotSent, Pool};
pub use queue::{
    CONSUMER_WORDS, Consumer, PeerError, PopError, Producer, PushError, producer_words,
};
pub use ring::Broken;
pub use value::{Invalid, MAX_BYTES, Plain};
pub use versioned::{ReadError, VersionedReader, VersionedWriter, versioned_words};
pub use view::{View, ViewError};
