//! Access to the words of a memory region. A write needs a `<map>` with `w` in the system file.

use core::fmt;
use core::marker::PhantomData;
use core::sync::atomic::Ordering;

use sel4_microkit::SharedWord;

/// The words of a memory region. Other PDs may access the words at the same time.
///
/// ```
/// use core::sync::atomic::Ordering;
///
/// microkit_system::system! {
///     "ping-pong-memory.system", pd = "ping";
///     region MEMORY = "memory";
/// }
///
/// fn count_up() -> u64 {
///     let words = MEMORY.words();
///     let count = words.load(0, Ordering::Acquire) + 1;
///     words.store(0, count, Ordering::Release);
///     count
/// }
/// ```
///
/// Each word is atomic, because a plain access would race with the other PDs.
pub struct Words<R> {
    words: &'static [SharedWord],
    region: PhantomData<R>,
}

impl<R: Region> Words<R> {
    /// Returns the number of words: the region's size in the system file, divided by eight.
    #[expect(clippy::len_without_is_empty, reason = "a region has at least a page")]
    pub const fn len(self) -> usize {
        R::BYTES / size_of::<SharedWord>()
    }

    /// Reads a word.
    ///
    /// **Blocking:** never.
    ///
    /// # Panics
    ///
    /// Panics if `index` is out of bounds.
    #[inline]
    #[track_caller]
    pub fn load(self, index: usize, order: Ordering) -> u64 {
        self.words[index].load(order)
    }

    /// Iterates over the words. Each step reads one word with `order`.
    ///
    /// ```
    /// # use core::sync::atomic::Ordering;
    /// # microkit_system::system! {
    /// #     "ping-pong-memory.system", pd = "ping";
    /// #     region MEMORY = "memory";
    /// # }
    /// fn sum() -> u64 {
    ///     MEMORY.words().iter(Ordering::Relaxed).sum()
    /// }
    /// ```
    pub fn iter(self, order: Ordering) -> WordsIter {
        WordsIter {
            words: self.words.iter(),
            order,
        }
    }

    /// Writes a word.
    ///
    /// **Blocking:** never. **Rights:** a `<map>` with `w`.
    ///
    /// # Panics
    ///
    /// Panics if `index` is out of bounds.
    #[inline]
    #[track_caller]
    pub fn store(self, index: usize, value: u64, order: Ordering)
    where
        R: Writable,
    {
        self.words[index].store(value, order);
    }

    /// Returns the words as a slice, for types that take a slice, such as the queues of
    /// `microkit-shared-memory`.
    ///
    /// ```
    /// # use core::sync::atomic::Ordering;
    /// # microkit_system::system! {
    /// #     "ping-pong-memory.system", pd = "ping";
    /// #     region MEMORY = "memory";
    /// # }
    /// fn first() -> u64 {
    ///     let [first, ..] = MEMORY.words().as_slice() else { return 0 };
    ///     first.load(Ordering::Relaxed)
    /// }
    /// ```
    ///
    /// **Rights:** a `<map>` with `w`, because safe code can write to the words of the slice.
    pub const fn as_slice(self) -> &'static [SharedWord]
    where
        R: Writable,
    {
        self.words
    }
}

/// A memory region of the system file. `system!` implements this trait for each `region` item.
///
/// A function that reads any region takes `Words<impl Region>`:
///
/// ```
/// use core::sync::atomic::Ordering;
/// use microkit_system::{Region, Words};
///
/// fn sum(words: Words<impl Region>) -> u64 {
///     words.iter(Ordering::Relaxed).sum()
/// }
/// ```
pub trait Region: Copy {
    /// The region's size in bytes.
    const BYTES: usize;
}

/// A memory region that the program's PD may write.
///
/// A function that writes to any region takes `Words<impl Writable>`:
///
/// ```
/// use core::sync::atomic::Ordering;
/// use microkit_system::{Words, Writable};
///
/// fn clear(words: Words<impl Writable>) {
///     for index in 0..words.len() {
///         words.store(index, 0, Ordering::Relaxed);
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a writable region",
    label = "this needs a region that is mapped with `w`"
)]
pub trait Writable: Region {}

/// An iterator that reads the words of a region: see [`Words::iter`].
#[derive(Clone)]
pub struct WordsIter {
    words: core::slice::Iter<'static, SharedWord>,
    order: Ordering,
}

impl Iterator for WordsIter {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.words.next().map(|word| word.load(self.order))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.words.size_hint()
    }
}

impl ExactSizeIterator for WordsIter {}

impl fmt::Debug for WordsIter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WordsIter")
            .field("left", &self.words.len())
            .finish_non_exhaustive()
    }
}

impl<R> Copy for Words<R> {}

impl<R> Clone for Words<R> {
    fn clone(&self) -> Self {
        *self
    }
}

/// Prints only the length. The values of the words would mislead, because other PDs may change the
/// words at any time.
impl<R> fmt::Debug for Words<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Words")
            .field("len", &self.words.len())
            .finish_non_exhaustive()
    }
}

/// Returns the words of the region `name`. First checks the size that Microkit's tool has written.
#[doc(hidden)]
#[track_caller]
pub fn words<R: Region>(name: &str, words: &'static [SharedWord]) -> Words<R> {
    let bytes = size_of_val(words);
    assert!(
        bytes == R::BYTES,
        "the region {name} has {bytes} bytes here and {} in the system file that this program was \
         compiled with: build it with the system file that it runs in",
        R::BYTES
    );
    Words {
        words,
        region: PhantomData,
    }
}
