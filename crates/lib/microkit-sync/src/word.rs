//! What a lock is stored in.

use core::sync::atomic::{AtomicU64, Ordering};

use sel4_microkit::SharedWord;

/// A word of shared memory: `SharedWord`, `AtomicU64`, or what a test puts in their place.
///
/// The methods are those of `AtomicU64`.
pub trait Word {
    /// Reads it.
    fn load(&self, order: Ordering) -> u64;

    /// Writes `new` if it is `current`, as one access.
    ///
    /// **Errors:** what it is, if not `current`.
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
// On the target it is an `AtomicU64`.
#[cfg(not(target_os = "none"))]
words!(SharedWord);

/// What locks are made of if nothing else is said.
pub(crate) type Default = SharedWord;
