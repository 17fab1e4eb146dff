//! The shared definitions of the system `locks`: the party numbers, the locks, and the data that
//! the locks guard.
#![no_std]
#![forbid(unsafe_code)]

mod book;
mod store;

pub use book::Book;
pub use store::Store;

use microkit_sync::PartyId;
use sel4_microkit::Channel;

/// The workers, by their names in the system file. The first one is the victim.
pub const WORKERS: [&str; 4] = ["a", "b", "c", "d"];

/// The worker that the parent kills.
pub const VICTIM: PartyId = PartyId::new(0);

/// The parent. The parent takes the store's lock once, to announce the end.
pub const PARENT: PartyId = PartyId::new(4);

/// The channel to each party. A party has no channel to itself and never uses that entry.
pub const CHANNELS: [(PartyId, Channel); 5] = [
    (VICTIM, Channel::new(10)),
    (PartyId::new(1), Channel::new(11)),
    (PartyId::new(2), Channel::new(12)),
    (PartyId::new(3), Channel::new(13)),
    (PARENT, Channel::new(14)),
];

/// The index of each lock in the arena.
pub mod lock {
    /// A mutex, for the [`Store`](crate::Store).
    pub const STORE: usize = 0;
    /// A condition: the store has room again.
    pub const ROOM: usize = 1;
    /// A condition: the store has goods again.
    pub const GOODS: usize = 2;
    /// A readers-writer lock, for the [`Book`](crate::Book).
    pub const BOOK: usize = 3;
    /// The number of locks.
    pub const COUNT: usize = 4;
}
