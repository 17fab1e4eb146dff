//! The errors of taking, opening and retiring a lock.

use core::fmt;

/// The reason why an operation on a lock failed.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum LockError {
    /// An owner died while it held the lock, and the next owner did not mark the data consistent.
    /// Nobody can take this lock again.
    NotRecoverable,
    /// This party already owns the lock through a leaked guard, or already waits for the lock in
    /// the other mode (to read or to write).
    Held,
    /// The lock was retired. Its word is free for another lock, or already holds another lock.
    Gone,
    /// The word is not a valid state of this lock for these parties.
    Corrupt,
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotRecoverable => {
                "an owner of the lock died and its data was not repaired: retire the lock and open a \
                 new one"
            }
            Self::Held => {
                "this party already owns the lock, or waits for it in the other mode: release it, or \
                 call `cancel`, first"
            }
            Self::Gone => "the lock was retired: open the lock that replaced it",
            Self::Corrupt => {
                "the lock's word is not a valid state for these parties: check what else writes to \
                 the arena"
            }
        })
    }
}

impl core::error::Error for LockError {}

/// The reason why a lock could not be opened.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum OpenError {
    /// The index is beyond the end of the arena.
    NoSuchWord,
    /// This party already has the lock open. Call [`close`](crate::Arena::close) first.
    Open,
    /// The word holds a lock of another kind.
    OtherKind,
    /// The word holds, or held, a lock of another generation. The field is the word's generation.
    OtherGeneration(u32),
    /// The word is not a valid state of a lock.
    Corrupt,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchWord => {
                f.write_str("the index is beyond the end of the arena: map a larger region")
            }
            Self::Open => f.write_str("this party already has the lock open: close it first"),
            Self::OtherKind => f.write_str(
                "the word holds a lock of another kind: all parties must open the same kind",
            ),
            Self::OtherGeneration(generation) => write!(
                f,
                "the word is at generation {generation}: open that generation, which `retire` returned"
            ),
            Self::Corrupt => f.write_str(
                "the word is not a valid state of a lock: check what else writes to the arena",
            ),
        }
    }
}

impl core::error::Error for OpenError {}

/// The reason why a lock could not be retired.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum RetireError {
    /// A party owns the lock or waits for the lock.
    Busy,
    /// This lock has the last generation of its word. The word cannot hold a later lock.
    Spent,
    /// The lock cannot be used. The field is the reason.
    Lock(LockError),
}

impl fmt::Display for RetireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str(
                "a party owns the lock or waits for it: retire it after all have released it",
            ),
            Self::Spent => f.write_str("the word has used all its generations: use another word"),
            Self::Lock(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for RetireError {}

impl From<LockError> for RetireError {
    fn from(error: LockError) -> Self {
        Self::Lock(error)
    }
}
