//! A queue of bytes in a memory region that two protection domains (PDs) share: one puts, the
//! other takes.
//!
//! The region is a slice of words as `sel4-microkit`'s `shared_words!` gives it, and begins as zeros. Neither end trusts the other: each keeps its own position to itself, checks the
//! other's against it, and says [`Broken`] if that cannot be. Whatever the other end writes, nothing
//! is read or written outside the region, and no more bytes are taken than there is room for.
//!
//! The queue blocks nobody and notifies nobody. An end that finds it full says so with
//! [`ByteProducer::ask_for_room`]; the other looks at [`ByteConsumer::was_asked_for_room`] after it has
//! taken something, and then notifies.
//!
//! ```
//! use microkit_shared_memory::{ByteConsumer, ByteProducer};
//! # use sel4_microkit::SharedWord;
//! # let region: &'static [SharedWord] = Box::leak((0..64).map(|_| SharedWord::new(0)).collect());
//!
//! // let region = shared_words!(queue, queue_size, SharedWord); in each of the two PDs
//! let mut producer = ByteProducer::new(region);
//! assert_eq!(producer.put(b"hello")?, 5);
//!
//! let mut consumer = ByteConsumer::new(region);
//! let mut bytes = [0; 16];
//! assert_eq!(consumer.take(&mut bytes)?, 5);
//! assert_eq!(&bytes[..5], b"hello");
//! # Ok::<(), microkit_shared_memory::Broken>(())
//! ```
mod consumer;
mod layout;
mod producer;

pub use consumer::ByteConsumer;
pub use producer::ByteProducer;
