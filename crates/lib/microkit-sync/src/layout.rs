//! The fields of a lock's word, for inspection with a debugger.
//!
//! | bits | field | used by |
//! | --- | --- | --- |
//! | 0..16 | [`WAITING`], one bit for each party | all kinds |
//! | 16..32 | [`READING`], one bit for each party | readers-writer lock |
//! | 32..37 | [`OWNER`] | mutex, readers-writer lock |
//! | 37 | [`ENTERED`] | mutex, readers-writer lock |
//! | 38 | [`INCONSISTENT`] | mutex, readers-writer lock |
//! | 39 | [`NOT_RECOVERABLE`] | mutex, readers-writer lock |
//! | 40..42 | [`KIND`] | all kinds, also a word without a lock |
//! | 42..46 | [`TURN`] | condition, readers-writer lock |
//! | 46..64 | [`GENERATION`] | all kinds, also a word without a lock |
//!
//! The combined meaning of the two bits of a party, [`WAITING`] and [`READING`]:
//!
//! | waiting | reading | meaning: the party |
//! | --- | --- | --- |
//! | 0 | 0 | does not use the lock, or is its owner |
//! | 0 | 1 | holds the lock to read |
//! | 1 | 0 | waits to write, waits for a mutex, or waits for a signal of a condition |
//! | 1 | 1 | waits to read |

/// The waiting parties, one bit each. For a condition, the parties that wait for a signal.
pub const WAITING: u64 = 0xffff;

/// The parties that read or wait to read, one bit each.
pub const READING: u64 = 0xffff << READING_SHIFT;
pub(crate) const READING_SHIFT: u32 = 16;

/// The number of the owner plus one, or zero without an owner. The owner holds the lock
/// exclusively, or has received the lock by hand-over and has not entered it yet (see [`ENTERED`]).
pub const OWNER: u64 = 0x1f << OWNER_SHIFT;
pub(crate) const OWNER_SHIFT: u32 = 32;

/// Set when the owner enters the lock. An owner enters when it observes its ownership.
///
/// An owner that received the lock by hand-over but has not entered has not touched the data. If
/// this owner dies, the data is still consistent.
pub const ENTERED: u64 = 1 << 37;

/// Set when an owner dies while it holds the lock. Cleared when a later owner marks the data
/// consistent.
pub const INCONSISTENT: u64 = 1 << 38;

/// Set if no party can take this lock again.
pub const NOT_RECOVERABLE: u64 = 1 << 39;

/// 0 for a word without a lock, 1 for a mutex, 2 for a condition, 3 for a readers-writer lock.
pub const KIND: u64 = 3 << KIND_SHIFT;
pub(crate) const KIND_SHIFT: u32 = 40;

/// The last party that was served. For a condition, the last party that received a signal from
/// `notify_one`. For a readers-writer lock, the last writer.
pub const TURN: u64 = 0xf << TURN_SHIFT;
pub(crate) const TURN_SHIFT: u32 = 42;

/// The number of earlier locks in this word.
pub const GENERATION: u64 = !0 << GENERATION_SHIFT;
pub(crate) const GENERATION_SHIFT: u32 = 46;

/// The last possible generation of a word.
pub const LAST_GENERATION: u32 = (1 << (u64::BITS - GENERATION_SHIFT)) - 1;
