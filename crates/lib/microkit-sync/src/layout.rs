//! The fields of a lock's word, for inspection with a debugger.
//!
//! | bits | field | of |
//! | --- | --- | --- |
//! | 0..16 | [`WAITING`], one bit for each party | all kinds |
//! | 16..32 | [`READING`], one bit for each party | readers-writer lock |
//! | 32..37 | [`OWNER`] | mutex, readers-writer lock |
//! | 37 | [`ENTERED`] | mutex, readers-writer lock |
//! | 38 | [`INCONSISTENT`] | mutex, readers-writer lock |
//! | 39 | [`NOT_RECOVERABLE`] | mutex, readers-writer lock |
//! | 40..42 | [`KIND`] | all kinds, and a word without a lock |
//! | 42..46 | [`TURN`] | condition, readers-writer lock |
//! | 46..64 | [`GENERATION`] | all kinds, and a word without a lock |
//!
//! The two bits of a party, [`WAITING`] and [`READING`], mean together:
//!
//! | waiting | reading | the party |
//! | --- | --- | --- |
//! | 0 | 0 | does not use the lock, or is its owner |
//! | 0 | 1 | holds the lock to read |
//! | 1 | 0 | waits to write, waits for a mutex, or waits for a signal of a condition |
//! | 1 | 1 | waits to read |

/// Parties that wait, one bit each. For a condition, those that wait for a signal.
pub const WAITING: u64 = 0xffff;

/// Parties that read, or that wait to read, one bit each.
pub const READING: u64 = 0xffff << READING_SHIFT;
pub(crate) const READING_SHIFT: u32 = 16;

/// The number of the owner plus one: the party that holds the lock exclusively, or to which it was
/// handed over. Zero if there is none.
pub const OWNER: u64 = 0x1f << OWNER_SHIFT;
pub(crate) const OWNER_SHIFT: u32 = 32;

/// Set once the owner has seen that it is the owner.
///
/// An owner to which the lock was handed over, and which has not entered yet, has not touched the
/// data. Its death leaves the data consistent.
pub const ENTERED: u64 = 1 << 37;

/// Set if an owner died while it held the lock, until a later owner marks the data consistent.
pub const INCONSISTENT: u64 = 1 << 38;

/// Set if nobody can take this lock again.
pub const NOT_RECOVERABLE: u64 = 1 << 39;

/// 0 for a word without a lock, 1 for a mutex, 2 for a condition, 3 for a readers-writer lock.
pub const KIND: u64 = 3 << KIND_SHIFT;
pub(crate) const KIND_SHIFT: u32 = 40;

/// The party that was served last. For a condition, the last that got a signal from `notify_one`.
/// For a readers-writer lock, the last writer.
pub const TURN: u64 = 0xf << TURN_SHIFT;
pub(crate) const TURN_SHIFT: u32 = 42;

/// The number of locks that were in this word before.
pub const GENERATION: u64 = !0 << GENERATION_SHIFT;
pub(crate) const GENERATION_SHIFT: u32 = 46;

/// The last generation that a word can have.
pub const LAST_GENERATION: u32 = (1 << (u64::BITS - GENERATION_SHIFT)) - 1;
