//! The memory word of a lock.

use core::sync::atomic::{AtomicU64, Ordering};

use sel4_microkit::SharedWord;

/// A word of shared memory: [`SharedWord`], [`AtomicU64`], or a replacement in a test.
///
/// The methods have the same meaning as the methods of [`AtomicU64`].
pub trait Word {
    /// Loads the value.
    fn load(&self, order: Ordering) -> u64;

    /// Stores `new` if the current value is `current`, in one atomic access.
    ///
    /// # Errors
    ///
    /// Returns the current value if it differs from `current`.
    fn compare_exchange(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64>;
}

macro_rules! words {
    ($($word:ty),*) => {
        $(
            impl Word for $word {
                #[inline]
                fn load(&self, order: Ordering) -> u64 {
                    <$word>::load(self, order)
                }

                #[inline]
                fn compare_exchange(
                    &self,
                    current: u64,
                    new: u64,
                    success: Ordering,
                    failure: Ordering,
                ) -> Result<u64, u64> {
                    <$word>::compare_exchange(self, current, new, success, failure)
                }
            }
        )*
    };
}

words!(AtomicU64);
// On the target, `SharedWord` is an alias of `AtomicU64`.
#[cfg(not(target_os = "none"))]
words!(SharedWord);

/// The default word type of a lock.
pub(crate) type Default = SharedWord;
