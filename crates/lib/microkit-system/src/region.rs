//! Memory regions as words that can be read, and written where the system file grants it.

use core::fmt;
use core::marker::PhantomData;
use core::sync::atomic::Ordering;

use sel4_microkit::SharedWord;

/// The words of a memory region, which others may read and write at the same time.
///
/// What cannot be known about another's memory stays visible: each access is one of an atomic word.
pub struct Words<R> {
    words: &'static [SharedWord],
    region: PhantomData<R>,
}

impl<R: Region> Words<R> {
    /// How many there are: the region's size in the system file, divided by eight.
    #[expect(clippy::len_without_is_empty, reason = "a region has at least a page")]
    pub const fn len(self) -> usize {
        R::BYTES / size_of::<SharedWord>()
    }

    /// Reads a word.
    ///
    /// **Blocks:** never. **Panics:** if there is no such word.
    #[inline]
    #[track_caller]
    pub fn load(self, index: usize, order: Ordering) -> u64 {
        self.words[index].load(order)
    }

    /// Reads each word, from the first on.
    pub fn iter(self, order: Ordering) -> WordsIter {
        WordsIter {
            words: self.words.iter(),
            order,
        }
    }

    /// Writes a word.
    ///
    /// **Blocks:** never. **Needs:** a `<map>` with `w`. **Panics:** if there is no such word.
    #[inline]
    #[track_caller]
    pub fn store(self, index: usize, value: u64, order: Ordering)
    where
        R: Writable,
    {
        self.words[index].store(value, order);
    }

    /// The words themselves, for what takes them, such as a `byte_queue`.
    ///
    /// **Needs:** a `<map>` with `w`, as an atomic word can be written.
    pub const fn as_slice(self) -> &'static [SharedWord]
    where
        R: Writable,
    {
        self.words
    }
}

/// A memory region that the system file maps: what `system!` makes of it.
pub trait Region: Copy {
    /// Its size in bytes.
    const BYTES: usize;
}

/// A memory region that is mapped with `w`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no region that may be written",
    label = "this is written"
)]
pub trait Writable: Region {}

/// The words of a region, read one after another.
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

/// The words are another's too, so they are not shown.
impl<R> fmt::Debug for Words<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Words")
            .field("len", &self.words.len())
            .finish_non_exhaustive()
    }
}

/// What `system!` gives for a region `name`, whose address and size the tool has written.
#[doc(hidden)]
#[track_caller]
pub fn words<R: Region>(name: &str, words: &'static [SharedWord]) -> Words<R> {
    let bytes = size_of_val(words);
    assert!(
        bytes == R::BYTES,
        "the region {name} has {bytes} bytes here and {} in the system file that this program was \
         compiled with: build it with the file that it is run with",
        R::BYTES
    );
    Words {
        words,
        region: PhantomData,
    }
}
