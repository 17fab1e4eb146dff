//! Words that every life of a protection domain begins with as zeros.

use core::sync::atomic::AtomicU64;

use crate::platform;

/// A word of this protection domain (PD), to be kept in a `static`, that is zero when a life of the
/// PD begins: at its first start, and whenever its parent restarts it.
///
/// On the target it is a `static` like any other, which the runtime sets back when the PD is
/// restarted. On a host, where the statics of all PDs are those of the test, each life of each PD has
/// its own.
///
/// ```
/// use sel4_microkit::IncarnationWord;
///
/// static CALLS: IncarnationWord = IncarnationWord::new();
///
/// assert_eq!(CALLS.get(), 0);
/// CALLS.set(1);
/// assert_eq!(CALLS.get(), 1);
/// ```
#[derive(Debug)]
pub struct IncarnationWord {
    /// On a host, only its address is used.
    word: AtomicU64,
}

impl IncarnationWord {
    /// One that is zero.
    pub const fn new() -> Self {
        Self {
            word: AtomicU64::new(0),
        }
    }

    /// What it is now. **Blocks:** never.
    #[inline]
    pub fn get(&'static self) -> u64 {
        platform::load_incarnation_word(&self.word)
    }

    /// From now on it is `value`, for as long as this life lasts. **Blocks:** never.
    #[inline]
    pub fn set(&'static self, value: u64) {
        platform::store_incarnation_word(&self.word, value);
    }
}

impl Default for IncarnationWord {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::State;

    #[test]
    fn each_life_has_its_own() {
        static ONE: IncarnationWord = IncarnationWord::new();
        static OTHER: IncarnationWord = IncarnationWord::new();
        let mut second = State::new();
        ONE.set(7);
        assert_eq!((ONE.get(), OTHER.get()), (7, 0));
        second.exchange();
        assert_eq!((ONE.get(), OTHER.get()), (0, 0));
        OTHER.set(8);
        second.exchange();
        assert_eq!((ONE.get(), OTHER.get()), (7, 0));
    }
}
