//! Values of several words, which one protection domain writes and others read.
//!
//! The first word is the version: odd while the value is being written. A reader that sees the same
//! even version before and after it has read what belongs to that version.

use core::fmt;
use core::marker::PhantomData;
use core::sync::atomic::Ordering;

use crate::value::{self, Invalid, Plain, words_of};
use crate::{Memory, TooSmall, WritableMemory};

const VERSION: usize = 0;
const VALUE: usize = 1;

/// How many words a versioned `T` takes.
pub const fn versioned_words<T>() -> usize {
    VALUE + words_of::<T>()
}

fn check<T>(memory: &impl Memory) -> Result<(), TooSmall> {
    let (needs, has) = (versioned_words::<T>(), memory.words());
    if needs <= has {
        Ok(())
    } else {
        Err(TooSmall { needs, has })
    }
}

/// The one that writes a value of several words.
///
/// It may die in the midst: readers are told then, and see the next value that a new incarnation
/// writes.
#[derive(Debug)]
pub struct VersionedWriter<T, M> {
    memory: M,
    version: u64,
    value: PhantomData<fn(T)>,
}

impl<T: Plain, M: WritableMemory> VersionedWriter<T, M> {
    /// Takes the value at the beginning of `memory`, which has no other writer.
    ///
    /// **Errors:** the memory is too small.
    pub fn new(memory: M) -> Result<Self, TooSmall> {
        check::<T>(&memory)?;
        Ok(Self {
            // Another than every reader may have seen at its beginning.
            version: memory.load(VERSION, Ordering::Relaxed),
            memory,
            value: PhantomData,
        })
    }

    /// Writes the value.
    ///
    /// **Blocks:** never.
    pub fn write(&mut self, value: &T) {
        let writing = self.version.wrapping_add(1) | 1;
        self.memory.store(VERSION, writing, Ordering::Relaxed);
        // Who sees any word of the new value sees that it is being written.
        self.memory.fence(Ordering::Release);
        value::store(&self.memory, VALUE, value, Ordering::Relaxed);
        self.version = writing.wrapping_add(1);
        self.memory.store(VERSION, self.version, Ordering::Release);
    }
}

/// One that reads a value of several words.
#[derive(Debug, Clone)]
pub struct VersionedReader<T, M> {
    memory: M,
    value: PhantomData<fn() -> T>,
}

impl<T: Plain, M: Memory> VersionedReader<T, M> {
    /// Reads the value at the beginning of `memory`.
    ///
    /// **Errors:** the memory is too small.
    pub fn new(memory: M) -> Result<Self, TooSmall> {
        check::<T>(&memory)?;
        let value = PhantomData;
        Ok(Self { memory, value })
    }

    /// The value as it was at some time during this call, whole; tried at most three times.
    ///
    /// **Blocks:** never. **Errors:** nothing was written yet; it is being written, or its writer
    /// died at that; it is no `T`.
    pub fn read(&self) -> Result<T, ReadError> {
        const TRIES: usize = 3;
        for _ in 0..TRIES {
            if let Some(result) = self.try_read() {
                return result;
            }
        }
        Err(ReadError::Busy)
    }

    fn try_read(&self) -> Option<Result<T, ReadError>> {
        let before = self.memory.load(VERSION, Ordering::Acquire);
        if before == 0 {
            return Some(Err(ReadError::Nothing));
        }
        if before & 1 == 1 {
            return None;
        }
        let value = value::load(&self.memory, VALUE, Ordering::Relaxed);
        // Whoever's words were read, their version is seen next.
        self.memory.fence(Ordering::Acquire);
        let after = self.memory.load(VERSION, Ordering::Relaxed);
        (before == after).then_some(value.map_err(|Invalid| ReadError::Invalid))
    }
}

/// Why there is no value.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// Nobody has written it yet.
    Nothing,
    /// It is being written, or its writer died in the midst of it. Try again when the writer has
    /// notified, or has been restarted.
    Busy,
    /// What was written is no value of the type.
    Invalid,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "the value in shared memory was not written yet: wait for its writer",
            Self::Busy => {
                "the value in shared memory is being written, or its writer died in the midst: try \
                 again when the writer has notified"
            }
            Self::Invalid => return Invalid.fmt(f),
        })
    }
}

impl core::error::Error for ReadError {}
