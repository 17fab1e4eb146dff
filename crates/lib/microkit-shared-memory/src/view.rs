//! Views of shared memory as values of at most one word.

use core::fmt;
use core::marker::PhantomData;
use core::sync::atomic::Ordering;

use crate::value::{self, Invalid, Plain, words_of};
use crate::{Memory, WritableMemory};

/// A view of shared memory as an array of values of at most eight bytes. Each word holds one value.
///
/// Each access to a value is a single atomic access, so a half-written value is never read. Larger
/// values need [`VersionedReader`](crate::VersionedReader) or a queue.
///
/// # Examples
///
/// ```
/// use microkit_shared_memory::View;
/// # use sel4_microkit::SharedWord;
/// # let words: &'static [SharedWord] = Box::leak((0..4).map(|_| SharedWord::new(0)).collect());
///
/// let view: View<i32, _> = View::new(words); // Or `REGION.words()`.
/// view.store(3, -7)?;
/// assert_eq!(view.load(3), Ok(-7));
/// # Ok::<(), microkit_shared_memory::ViewError>(())
/// ```
pub struct View<T, M> {
    memory: M,
    values: PhantomData<T>,
}

impl<T: Plain, M: Memory> View<T, M> {
    /// Creates a view with one value in each word of `memory`. Compilation fails if `T` is larger
    /// than a word.
    pub const fn new(memory: M) -> Self {
        const {
            assert!(
                words_of::<T>() == 1,
                "a value in a `View` has at most 8 bytes: larger ones can be seen half written, so \
                 use `VersionedWriter` and `VersionedReader`, or a queue"
            );
        }
        let values = PhantomData;
        Self { memory, values }
    }

    /// Returns the number of values.
    pub fn len(&self) -> usize {
        self.memory.words()
    }

    /// Returns whether the view has no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads a value with acquire ordering. The writer's earlier writes are visible after this
    /// call.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`ViewError::NoSuchIndex`] if `index` is out of bounds. Returns
    /// [`ViewError::Invalid`] if the word is not a `T`.
    pub fn load(&self, index: usize) -> Result<T, ViewError> {
        self.check(index)?;
        Ok(value::load(&self.memory, index, Ordering::Acquire)?)
    }

    /// Writes a value with release ordering. A reader of the value also sees all earlier writes of
    /// this protection domain.
    ///
    /// **Blocking:** never. **Rights:** a `<map>` with `w`.
    ///
    /// # Errors
    ///
    /// Returns [`ViewError::NoSuchIndex`] if `index` is out of bounds.
    pub fn store(&self, index: usize, value: T) -> Result<(), ViewError>
    where
        M: WritableMemory,
    {
        self.check(index)?;
        value::store(&self.memory, index, &value, Ordering::Release);
        Ok(())
    }

    fn check(&self, index: usize) -> Result<(), ViewError> {
        let len = self.len();
        if index < len {
            Ok(())
        } else {
            Err(ViewError::NoSuchIndex { index, len })
        }
    }
}

impl<T, M> fmt::Debug for View<T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("View")
    }
}

/// The reason why a value was not read or written.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum ViewError {
    /// The index is out of bounds.
    NoSuchIndex {
        /// The requested index.
        index: usize,
        /// The number of values.
        len: usize,
    },
    /// The word is not a value of the type.
    Invalid,
}

impl From<Invalid> for ViewError {
    fn from(_: Invalid) -> Self {
        Self::Invalid
    }
}

impl fmt::Display for ViewError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchIndex { index, len } => write!(
                f,
                "there is no value {index} in this part of shared memory, which has {len}"
            ),
            Self::Invalid => Invalid.fmt(f),
        }
    }
}

impl core::error::Error for ViewError {}
