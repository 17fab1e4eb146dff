//! Locks in shared memory that survive the crash of their holder.
//!
//! A [`Mutex`], a [`Condition`] or an [`RwLock`] occupies one 64-bit word of an [`Arena`]. An arena
//! is a memory region that all parties map. A party is a protection domain (PD). Waiters block on a
//! notification and do not poll the word. A party can fault, or be stopped by its parent, after any
//! store. The parent of the dead party then calls [`Arena::recover`]. The crate guarantees that:
//!
//! - two parties never own a lock at the same time;
//! - the next owner gets [`Acquired::OwnerDied`] if the last owner died while it held the lock. The
//!   next owner then repairs the data and marks the data consistent. Otherwise the lock becomes
//!   unusable for all parties ([`LockError::NotRecoverable`]);
//! - all other waiters still get the lock, in circular order;
//! - a party that has released a lock never accesses the lock's word again. So another lock can use
//!   the word at once.
//!
//! A recovery can be interrupted at any point and then repeated.
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
//! A PD that can write to the arena can keep a lock forever, or take a lock that another party
//! owns. So map an arena only into PDs that trust each other. Invalid words in the arena cannot
//! make this crate panic or loop forever. If a word is not a valid state of the lock, an operation
//! on the lock returns [`LockError::Corrupt`].
//!
//! # Contract lines
//!
//! In the documentation of a method, **Blocking:** states whether the method can wait. The handler
//! of a PD can call any method that never blocks.
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
