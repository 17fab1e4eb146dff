//! Locks in memory that protection domains (PDs) share, which survive the crash of their holder.
//!
//! A [`Mutex`], a [`Condition`] or an [`RwLock`] is one word of a region that all its parties map, an
//! [`Arena`]. Who has to wait does so for a notification, never by looking again and again. A party
//! may die after any single store, by a fault or because its parent stops it. Its parent then calls
//! [`Arena::recover`], and
//!
//! - of two parties, never do both have the lock;
//! - the next owner learns that the last one has died inside, [`Acquired::OwnerDied`], and says that
//!   the data is right again, or gives it up for all, [`LockError::NotRecoverable`];
//! - every other party that waits is served in its turn;
//! - a party that has given a lock back never touches its word again, so that the word can be another
//!   lock's at once.
//!
//! The recovery itself may be stopped anywhere, and repeated.
//!
//! ```
//! use microkit_sync::{Acquired, Arena, Party, PartyId, Peers};
//! # use sel4_microkit::{Channel, SharedWord};
//! # let region: &'static [SharedWord] = Box::leak((0..8).map(|_| SharedWord::new(0)).collect());
//! # const PEER: Channel = Channel::new(1);
//!
//! const ME: PartyId = PartyId::new(0);
//! const OTHER: PartyId = PartyId::new(1);
//!
//! // let region = shared_words!(locks, locks_size, SharedWord); in each PD
//! let arena = Arena::new(region);
//! let party = Party::new(ME, Peers::new(&[(OTHER, PEER)]));
//! let mut lock = arena.mutex(0, 0)?;
//!
//! match lock.lock(&party)? {
//!     Acquired::Consistent(_guard) => { /* The data is as the last owner has left it. */ }
//!     Acquired::OwnerDied(guard) => {
//!         // Make the data right again, or drop the guard: then nobody gets the lock any more.
//!         let _guard = guard.mark_consistent();
//!     }
//! }
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # Whom it trusts
//!
//! Whoever may write to the arena can keep a lock for ever, or take it from another: the parties of an
//! arena trust each other that far. A PD that is not trusted gets no part of it. But a word that is no
//! state of a lock is an error, [`LockError::Corrupt`], and nothing that stands there is a panic or a
//! loop without end.
#![no_std]
#![forbid(unsafe_code)]

mod arena;
mod condition;
mod error;
mod guard;
pub mod layout;
mod mutex;
mod party;
mod peers;
mod rw_lock;
mod slot;
mod state;
mod word;

pub use arena::{Arena, Recovered};
pub use condition::Condition;
pub use error::{LockError, OpenError, RetireError};
pub use guard::{Acquired, Inconsistent, MutexGuard, ReadGuard, Repair, WriteGuard};
pub use mutex::Mutex;
pub use party::{Members, Notifier, Party, PartyId};
pub use peers::Peers;
pub use rw_lock::RwLock;
pub use word::Word;
