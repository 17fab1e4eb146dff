//! The memory model of this crate: words with atomic accesses.

use core::fmt;
use core::sync::atomic::{Ordering, fence};

use microkit_system::{Region, Words, Writable};
use sel4_microkit::SharedWord;

/// The number of words in a cache line of 64 bytes, as in AArch64 cores.
///
/// The two ends of a queue write to different cache lines.
pub(crate) const WORDS_PER_LINE: usize = 8;

/// Words of memory that other PDs may write at any time.
///
/// The regions of `system!` (`REGION.words()`) and the slice that `shared_words!` returns implement
/// this trait. Tests implement this trait for memory with arbitrary values, and for the atomic
/// words of loom.
pub trait Memory {
    /// Returns the number of words.
    fn words(&self) -> usize;

    /// Reads a word.
    ///
    /// # Panics
    ///
    /// Panics if `index` is out of bounds. This crate passes only indices within bounds.
    fn load(&self, index: usize, order: Ordering) -> u64;

    /// Issues a fence between the earlier and the later accesses of this protection domain, like
    /// [`core::sync::atomic::fence`].
    fn fence(&self, order: Ordering) {
        fence(order);
    }
}

/// Memory that this protection domain may write.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is memory that may not be written",
    label = "this would be written",
    note = "the system file maps this region without `w`, so it is read-only"
)]
pub trait WritableMemory: Memory {
    /// Writes a word.
    ///
    /// # Panics
    ///
    /// Panics if `index` is out of bounds. This crate passes only indices within bounds.
    fn store(&self, index: usize, value: u64, order: Ordering);
}

impl<R: Region> Memory for Words<R> {
    #[inline]
    fn words(&self) -> usize {
        Words::len(*self)
    }

    #[inline]
    fn load(&self, index: usize, order: Ordering) -> u64 {
        Words::load(*self, index, order)
    }
}

impl<R: Writable> WritableMemory for Words<R> {
    #[inline]
    fn store(&self, index: usize, value: u64, order: Ordering) {
        Words::store(*self, index, value, order);
    }
}

impl Memory for &[SharedWord] {
    #[inline]
    fn words(&self) -> usize {
        self.len()
    }

    #[inline]
    fn load(&self, index: usize, order: Ordering) -> u64 {
        self[index].load(order)
    }
}

impl WritableMemory for &[SharedWord] {
    #[inline]
    fn store(&self, index: usize, value: u64, order: Ordering) {
        self[index].store(value, order);
    }
}

/// A contiguous part of a memory. The first word of the part has index 0.
///
/// # Examples
///
/// ```
/// use microkit_shared_memory::{Memory, Part, TooSmall};
/// # use sel4_microkit::SharedWord;
/// # let region: &'static [SharedWord] = Box::leak((0..8).map(|_| SharedWord::new(0)).collect());
///
/// let (header, data) = Part::whole(region).split_at(2)?;
/// assert_eq!((header.words(), data.words()), (2, 6));
/// assert!(Part::new(region, 6, 3).is_err());
/// # Ok::<(), TooSmall>(())
/// ```
#[derive(Debug, Copy, Clone)]
pub struct Part<M> {
    memory: M,
    first: usize,
    words: usize,
}

impl<M: Memory> Part<M> {
    /// Creates a part with all words of `memory`.
    pub fn whole(memory: M) -> Self {
        Self {
            first: 0,
            words: memory.words(),
            memory,
        }
    }

    /// Creates a part with `words` words of `memory`, starting at word `first`.
    ///
    /// # Errors
    ///
    /// Returns [`TooSmall`] if the part reaches beyond the end of the memory.
    pub fn new(memory: M, first: usize, words: usize) -> Result<Self, TooSmall> {
        let has = memory.words();
        let end = first.checked_add(words);
        if end.is_some_and(|end| end <= has) {
            Ok(Self {
                memory,
                first,
                words,
            })
        } else {
            let needs = end.unwrap_or(usize::MAX);
            Err(TooSmall { needs, has })
        }
    }

    /// Splits the part into its first `words` words and the rest.
    ///
    /// # Errors
    ///
    /// Returns [`TooSmall`] if the part has fewer than `words` words.
    pub fn split_at(self, words: usize) -> Result<(Self, Self), TooSmall>
    where
        M: Clone,
    {
        let Some(rest) = self.words.checked_sub(words) else {
            let (needs, has) = (words, self.words);
            return Err(TooSmall { needs, has });
        };
        let behind = Self {
            memory: self.memory.clone(),
            first: self.first + words,
            words: rest,
        };
        Ok((Self { words, ..self }, behind))
    }
}

impl<M: Memory> Memory for Part<M> {
    #[inline]
    fn words(&self) -> usize {
        self.words
    }

    #[inline]
    fn load(&self, index: usize, order: Ordering) -> u64 {
        assert!(index < self.words, "word {index} of {}", self.words);
        self.memory.load(self.first + index, order)
    }

    #[inline]
    fn fence(&self, order: Ordering) {
        self.memory.fence(order);
    }
}

impl<M: WritableMemory> WritableMemory for Part<M> {
    #[inline]
    fn store(&self, index: usize, value: u64, order: Ordering) {
        assert!(index < self.words, "word {index} of {}", self.words);
        self.memory.store(self.first + index, value, order);
    }
}

/// The memory has fewer words than needed.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct TooSmall {
    /// The number of words needed.
    pub needs: usize,
    /// The number of words in the memory.
    pub has: usize,
}

impl fmt::Display for TooSmall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} words of shared memory are needed and there are {}: give the region a larger size in \
             the system file, or ask for less of it",
            self.needs, self.has
        )
    }
}

impl core::error::Error for TooSmall {}
