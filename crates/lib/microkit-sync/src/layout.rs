//! What the bits of a lock's word mean: for whoever looks at one with a debugger.
//!
//! Each party has two bits, [`WAITING`] and [`READING`]: of neither, it has nothing to do with the lock
//! but that it may be the owner. One that waits to read has both.

/// Parties that wait, one bit each; of a condition, those that wait for a signal.
pub const WAITING: u64 = 0xffff;

/// Parties that read, or, if they wait, wait for that.
pub const READING: u64 = 0xffff << READING_SHIFT;
pub(crate) const READING_SHIFT: u32 = 16;

/// The party, plus one, that has the lock for itself, or to which it was handed.
pub const OWNER: u64 = 0x1f << OWNER_SHIFT;
pub(crate) const OWNER_SHIFT: u32 = 32;

/// The owner knows that it is.
pub const ENTERED: u64 = 1 << 37;

/// An owner has died inside, and nobody has said yet that the data is right again.
pub const INCONSISTENT: u64 = 1 << 38;

/// Nobody gets this lock any more.
pub const NOT_RECOVERABLE: u64 = 1 << 39;

/// 0 of no lock, 1 of a mutex, 2 of a condition, 3 of a readers-writer lock.
pub const KIND: u64 = 3 << KIND_SHIFT;
pub(crate) const KIND_SHIFT: u32 = 40;

/// The party that was served last: of a condition, or of those that write.
pub const TURN: u64 = 0xf << TURN_SHIFT;
pub(crate) const TURN_SHIFT: u32 = 42;

/// How many locks were in this word before.
pub const GENERATION: u64 = !0 << GENERATION_SHIFT;
pub(crate) const GENERATION_SHIFT: u32 = 46;

/// The last generation that a word can have.
pub const LAST_GENERATION: u32 = (1 << (u64::BITS - GENERATION_SHIFT)) - 1;
