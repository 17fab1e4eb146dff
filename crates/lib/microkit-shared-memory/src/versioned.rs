//! Values of several words that one protection domain (PD) writes and others read. The algorithm is
//! a sequence lock whose readers give up after three attempts.
//!
//! The first word is the version. The version is odd while the value is being written. A reader
//! copies the value between two loads of the version. If both loads return the same even version,
//! the copy is the value of that version.
//!
//! A reader never waits for the writer. On one core, the reader may have preempted the writer in
//! the middle of a write. If the reader waited, a writer with a lower priority would never finish.

use core::fmt;
use core::marker::PhantomData;
use core::sync::atomic::Ordering;

use crate::value::{self, Invalid, Plain, words_of};
use crate::{Memory, TooSmall, WritableMemory};

const VERSION: usize = 0;
const VALUE: usize = 1;

/// Returns the number of words for a versioned `T`.
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

/// The writer of a value of several words.
///
/// If the writer is stopped in the middle of a write, readers get [`ReadError::Busy`] until the
/// writer's next incarnation writes a value.
///
/// # Examples
///
/// ```
/// use microkit_shared_memory::{ReadError, VersionedReader, VersionedWriter};
/// # use sel4_microkit::SharedWord;
/// # let region: &'static [SharedWord] = Box::leak((0..4).map(|_| SharedWord::new(0)).collect());
///
/// let reader: VersionedReader<[u64; 2], _> = VersionedReader::new(region)?;
/// assert_eq!(reader.read(), Err(ReadError::Nothing));
///
/// let mut writer = VersionedWriter::new(region)?; // In another PD.
/// writer.write(&[1_u64, 2]);
/// assert_eq!(reader.read(), Ok([1, 2]));
/// # Ok::<(), microkit_shared_memory::TooSmall>(())
/// ```
#[derive(Debug)]
pub struct VersionedWriter<T, M> {
    memory: M,
    version: u64,
    value: PhantomData<fn(T)>,
}

impl<T: Plain, M: WritableMemory> VersionedWriter<T, M> {
    /// Creates the writer of the value at the start of `memory`. A value has only one writer.
    ///
    /// # Errors
    ///
    /// Returns [`TooSmall`] if the memory is too small.
    pub fn new(memory: M) -> Result<Self, TooSmall> {
        check::<T>(&memory)?;
        Ok(Self {
            // Continue with the version of the last incarnation, so that no version is used twice.
            version: memory.load(VERSION, Ordering::Relaxed),
            memory,
            value: PhantomData,
        })
    }

    /// Writes the value.
    ///
    /// **Blocking:** never.
    pub fn write(&mut self, value: &T) {
        let writing = self.version.wrapping_add(1) | 1;
        self.memory.store(VERSION, writing, Ordering::Relaxed);
        // Release: a reader of any word of the new value also sees the odd version.
        self.memory.fence(Ordering::Release);
        value::store(&self.memory, VALUE, value, Ordering::Relaxed);
        self.version = writing.wrapping_add(1);
        self.memory.store(VERSION, self.version, Ordering::Release);
    }
}

/// A reader of a value of several words.
#[derive(Debug, Clone)]
pub struct VersionedReader<T, M> {
    memory: M,
    value: PhantomData<fn() -> T>,
}

impl<T: Plain, M: Memory> VersionedReader<T, M> {
    /// Creates a reader of the value at the start of `memory`.
    ///
    /// # Errors
    ///
    /// Returns [`TooSmall`] if the memory is too small.
    pub fn new(memory: M) -> Result<Self, TooSmall> {
        check::<T>(&memory)?;
        let value = PhantomData;
        Ok(Self { memory, value })
    }

    /// Reads the whole value that was current at some time during this call. Makes at most three
    /// attempts.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`ReadError::Nothing`] if no value was written yet. Returns [`ReadError::Busy`] if
    /// the value is being written, or its writer was stopped in the middle of a write. Returns
    /// [`ReadError::Invalid`] if the value is not a `T`.
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
        // The next load sees the version of the write that stored these words, or a later version.
        self.memory.fence(Ordering::Acquire);
        let after = self.memory.load(VERSION, Ordering::Relaxed);
        (before == after).then_some(value.map_err(|Invalid| ReadError::Invalid))
    }
}

/// The reason why no value was read.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// No value was written yet.
    Nothing,
    /// The value is being written, or its writer was stopped in the middle of a write. Try again
    /// after a notification or a restart of the writer.
    Busy,
    /// The stored value is not a value of the type.
    Invalid,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "the value in shared memory was not written yet: wait for its writer",
            Self::Busy => {
                "the value in shared memory is being written, or its writer was stopped in the \
                 middle: try again when the writer has notified"
            }
            Self::Invalid => return Invalid.fmt(f),
        })
    }
}

impl core::error::Error for ReadError {}
