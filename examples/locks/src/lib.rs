//! What the parties of the system `locks` share: who they are, their locks, and what those guard.
#![no_std]
#![forbid(unsafe_code)]

mod book;
mod store;

pub use book::Book;
pub use store::Store;

use microkit_sync::PartyId;
use sel4_microkit::Channel;

/// Those that work, by their names in the system file. The first one is killed again and again.
pub const WORKERS: [&str; 4] = ["a", "b", "c", "d"];

/// The one that is killed.
pub const VICTIM: PartyId = PartyId::new(0);

/// The parent, which has the store's lock once, to say that it is enough.
pub const PARENT: PartyId = PartyId::new(4);

/// The channel to each party. A party has none to itself, and never uses it.
pub const CHANNELS: [(PartyId, Channel); 5] = [
    (VICTIM, Channel::new(10)),
    (PartyId::new(1), Channel::new(11)),
    (PartyId::new(2), Channel::new(12)),
    (PartyId::new(3), Channel::new(13)),
    (PARENT, Channel::new(14)),
];

/// The locks, by their words in the arena.
pub mod lock {
    /// A mutex, for the [`Store`](crate::Store).
    pub const STORE: usize = 0;
    /// A condition: there is room in the store again.
    pub const ROOM: usize = 1;
    /// A condition: there is something in the store again.
    pub const GOODS: usize = 2;
    /// A readers-writer lock, for the [`Book`](crate::Book).
    pub const BOOK: usize = 3;
    /// How many there are.
    pub const COUNT: usize = 4;
}
