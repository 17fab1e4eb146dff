//! Locks in shared memory that survive the crash of their holder.
//!
//! A [`Mutex`], a [`Condition`] or an [`RwLock`] is one 64-bit word of an [`Arena`], a region that
//! all parties map. A party is a protection domain (PD). Waiters block on a notification; nobody
//! polls the word in a loop. A party may die after any single store, by a fault or because its
//! parent stops it. Its parent then calls [`Arena::recover`]. The crate guarantees that:
//!
//! - two parties never own a lock at the same time;
//! - the next owner learns that the last owner died while it held the lock
//!   ([`Acquired::OwnerDied`]). The new owner repairs the data and marks it consistent, or makes
//!   the lock unusable for all parties ([`LockError::NotRecoverable`]);
//! - all other waiters still get the lock in their order;
//! - a party that has released a lock never touches its word again, so another lock can use the
//!   word at once.
//!
//! The recovery itself may be stopped at any point and repeated.
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
//! // In each PD: let region = shared_words!(locks, locks_size, SharedWord);
//! let arena = Arena::new(region);
//! let party = Party::new(ME, Peers::new(&[(OTHER, PEER)]));
//! let mut lock = arena.mutex(0, 0)?;
//!
//! match lock.lock(&party)? {
//!     Acquired::Consistent(_guard) => { /* The data is as the last owner left it. */ }
//!     Acquired::OwnerDied(guard) => {
//!         // Repair the data here. Dropping `guard` instead would end the lock for everyone.
//!         let _guard = guard.mark_consistent();
//!     }
//! }
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # Trust
//!
//! A PD that can write to the arena can keep a lock forever, or take it from another party. So map
//! an arena only into PDs that trust each other not to do this. No content of the arena makes this
//! crate panic or loop forever: a word that is not a valid state of the lock gives
//! [`LockError::Corrupt`].
//!
//! # Contract lines
//!
//! In the documentation of a method, **Blocking:** states whether the method can wait. A method
//! that never blocks can be called in a PD's handler.
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
