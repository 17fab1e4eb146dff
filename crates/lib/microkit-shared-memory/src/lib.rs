//! Memory that protection domains (PDs) share without trusting each other.
//!
//! | | |
//! | --- | --- |
//! | [`View`] | values of at most one word: each access is one atomic read or write |
//! | [`VersionedWriter`], [`VersionedReader`] | larger values that one PD writes; readers get a whole value or an error |
//! | [`Producer`], [`Consumer`] | a queue of records; an end is notified only when it sleeps |
//! | [`ByteProducer`], [`ByteConsumer`] | a queue of bytes, in one region that both PDs write |
//! | [`Pool`], [`Buffers`] | buffers that are used in place; their descriptors go through queues |
//! | [`Lender`], [`Borrower`] | ranges of a region that one PD lends to others, until either side is restarted |
//! | [`Bytes`], [`Part`] | memory as bytes, and parts of memory |
//! | [`ring`] | the index arithmetic of the queues |
//!
//! All types work on [`Memory`]: words that other PDs may write at any time. Each access to a word
//! is atomic. Values are copied in and out, so this crate never creates a reference to shared
//! memory.
//!
//! An *incarnation* is one run of a PD, from one start or restart to the next restart. An *epoch*
//! is the number of an incarnation. The epoch is stored in shared memory, because a restart resets
//! all other state of the PD. A *peer* is the other end of a queue or a lease.
//!
//! In the documentation of this crate, **Blocking:** states whether a call waits. **Rights:**
//! states the required elements of the system file.
//!
//! ```
//! use microkit_shared_memory::{CONSUMER_WORDS, Consumer, Part, Producer};
//! # use sel4_microkit::SharedWord;
//! # let region: &'static [SharedWord] = Box::leak((0..64).map(|_| SharedWord::new(0)).collect());
//!
//! // In each of the two PDs; `region` is `REGION.words()` of `microkit-system`.
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
