//! Words that are zero at the start of every incarnation of a PD.

use core::sync::atomic::AtomicU64;

use crate::platform;

/// A word in a `static` that is zero at the start of every incarnation of the PD: at the first
/// start, and after every restart by the parent.
///
/// On the target the word is an ordinary `static`, and the runtime resets it at a restart. On a
/// host, all PDs share the statics of one process, so each incarnation of each PD has its own word.
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
    /// The word. On a host, only the address of this field is used.
    word: AtomicU64,
}

impl IncarnationWord {
    /// Makes a word with the value zero.
    pub const fn new() -> Self {
        Self {
            word: AtomicU64::new(0),
        }
    }

    /// Reads the word.
    ///
    /// **Blocking:** never.
    #[inline]
    pub fn get(&'static self) -> u64 {
        platform::load_incarnation_word(&self.word)
    }

    /// Writes the word. The value lasts until the end of this incarnation.
    ///
    /// **Blocking:** never.
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
    fn each_incarnation_has_its_own_words() {
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
