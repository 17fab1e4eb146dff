//! What can go wrong.

use core::fmt;

/// Why a lock was not given.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum LockError {
    /// An owner has died inside, and the next one did not make its data right again: nobody gets this
    /// lock any more.
    NotRecoverable,
    /// This party has the lock already, by a guard that was leaked, or waits for it in the other way.
    Held,
    /// The lock was retired: the word is, or will be, another one.
    Gone,
    /// The word is no state of this lock, for these parties.
    Corrupt,
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotRecoverable => {
                "the lock's owner has died, and its data was not made right again: make a new lock"
            }
            Self::Held => {
                "this party has the lock already, or waits for it otherwise: give it back, or cancel, \
                 first"
            }
            Self::Gone => "the lock was retired: open the one that took its place",
            Self::Corrupt => {
                "the lock's word is no state of a lock of these parties: who else writes to the arena?"
            }
        })
    }
}

impl core::error::Error for LockError {}

/// Why a lock was not opened.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum OpenError {
    /// The arena has no such word.
    NoSuchWord,
    /// This party has opened it before: [`close`](crate::Arena::close) that first.
    Open,
    /// The word is that of another kind of lock.
    OtherKind,
    /// The word is, or was, that of a lock of this other generation.
    OtherGeneration(u32),
    /// The word is no state of a lock.
    Corrupt,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchWord => f.write_str("the arena has no such word: map a larger region"),
            Self::Open => f.write_str("this party has opened the lock before: close that first"),
            Self::OtherKind => {
                f.write_str("the word is a lock of another kind: all parties open the same")
            }
            Self::OtherGeneration(generation) => write!(
                f,
                "the word is of generation {generation}: open that, or ask who has retired the lock"
            ),
            Self::Corrupt => {
                f.write_str("the word is no state of a lock: who else writes to the arena?")
            }
        }
    }
}

impl core::error::Error for OpenError {}

/// Why a lock was not retired.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum RetireError {
    /// Somebody has it, or waits for it.
    Busy,
    /// It was the last that can be in this word.
    Spent,
    /// The lock is not to be had.
    Lock(LockError),
}

impl fmt::Display for RetireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => {
                f.write_str("somebody has the lock, or waits for it: have all give it back")
            }
            Self::Spent => f.write_str("this word has had all its generations: use another word"),
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
