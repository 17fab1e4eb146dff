//! The message info: the word that describes a message.

use core::fmt;

use crate::Word;

/// The label, the length and the capabilities of a message, in one word (`seL4_MessageInfo_t`).
///
/// | bits (`shared_types.bf`) | field |
/// | --- | --- |
/// | 0..7 | [`length`](Self::length) |
/// | 7..9 | [`extra_caps`](Self::extra_caps) |
/// | 9..12 | [`caps_unwrapped`](Self::caps_unwrapped) |
/// | 12..64 | [`label`](Self::label) |
///
/// ```
/// use sel4_sys::MessageInfo;
///
/// let info = MessageInfo::new(5, 0, 0, 2);
/// assert_eq!((info.label(), info.length()), (5, 2));
/// assert_eq!(info.into_word(), 5 << 12 | 2);
/// ```
#[derive(Copy, Clone, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct MessageInfo(Word);

const LENGTH_BITS: u32 = 7;
const EXTRA_CAPS_BITS: u32 = 2;
const CAPS_UNWRAPPED_BITS: u32 = 3;
const EXTRA_CAPS_SHIFT: u32 = LENGTH_BITS;
const CAPS_UNWRAPPED_SHIFT: u32 = EXTRA_CAPS_SHIFT + EXTRA_CAPS_BITS;
const LABEL_SHIFT: u32 = CAPS_UNWRAPPED_SHIFT + CAPS_UNWRAPPED_BITS;

impl MessageInfo {
    /// The number of bits of a label.
    pub const LABEL_BITS: u32 = Word::BITS - LABEL_SHIFT;

    /// Describes a message of `length` words with `extra_caps` capabilities.
    ///
    /// `caps_unwrapped` is a bit set that the kernel fills in for a receiver.
    ///
    /// # Panics
    ///
    /// Panics if a field does not fit: if the label has more than [`LABEL_BITS`](Self::LABEL_BITS)
    /// bits, `caps_unwrapped` is above 7, `extra_caps` is above 3, or the length is above
    /// [`MAX_MESSAGE_WORDS`](crate::MAX_MESSAGE_WORDS).
    #[inline]
    pub const fn new(label: Word, caps_unwrapped: usize, extra_caps: usize, length: usize) -> Self {
        assert!(
            label >> Self::LABEL_BITS == 0,
            "a message's label has at most 52 bits"
        );
        assert!(
            caps_unwrapped < 1 << CAPS_UNWRAPPED_BITS,
            "`caps_unwrapped` has three bits"
        );
        assert!(
            extra_caps <= crate::MAX_EXTRA_CAPS,
            "a message carries at most 3 capabilities"
        );
        assert!(
            length <= crate::MAX_MESSAGE_WORDS,
            "a message has at most 120 words"
        );
        Self(
            label << LABEL_SHIFT
                | (caps_unwrapped as Word) << CAPS_UNWRAPPED_SHIFT
                | (extra_caps as Word) << EXTRA_CAPS_SHIFT
                | length as Word,
        )
    }

    /// Returns the number of bits of a label: [`LABEL_BITS`](Self::LABEL_BITS).
    pub const fn label_width() -> usize {
        Self::LABEL_BITS as usize
    }

    /// Creates a message info from the word that the kernel uses.
    #[inline]
    pub const fn from_word(word: Word) -> Self {
        Self(word)
    }

    /// Returns the word that the kernel uses.
    #[inline]
    pub const fn into_word(self) -> Word {
        self.0
    }

    /// Returns the label: a value from the sender, an invocation label, or an error code.
    #[inline]
    pub const fn label(self) -> Word {
        self.0 >> LABEL_SHIFT
    }

    /// Returns the set of the extra capabilities that the kernel unwrapped, one bit each.
    #[inline]
    pub const fn caps_unwrapped(self) -> usize {
        field(self.0, CAPS_UNWRAPPED_SHIFT, CAPS_UNWRAPPED_BITS)
    }

    /// Returns the number of capabilities that the message carries.
    #[inline]
    pub const fn extra_caps(self) -> usize {
        field(self.0, EXTRA_CAPS_SHIFT, EXTRA_CAPS_BITS)
    }

    /// Returns the number of message registers that the message fills.
    ///
    /// The length field can be up to 127, but the kernel transfers at most
    /// [`MAX_MESSAGE_WORDS`](crate::MAX_MESSAGE_WORDS) words. A receiver that uses the length as an
    /// index must check the length.
    #[inline]
    pub const fn length(self) -> usize {
        field(self.0, 0, LENGTH_BITS)
    }
}

const fn field(word: Word, shift: u32, bits: u32) -> usize {
    (word >> shift) as usize & ((1 << bits) - 1)
}

impl fmt::Debug for MessageInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageInfo")
            .field("label", &self.label())
            .field("caps_unwrapped", &self.caps_unwrapped())
            .field("extra_caps", &self.extra_caps())
            .field("length", &self.length())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_has_its_own_bits() {
        let check = |label, unwrapped, caps, length, word| {
            let info = MessageInfo::new(label, unwrapped, caps, length);
            assert_eq!(info.into_word(), word, "{info:?}");
            assert_eq!(info.label(), label);
            assert_eq!(info.caps_unwrapped(), unwrapped);
            assert_eq!(info.extra_caps(), caps);
            assert_eq!(info.length(), length);
        };
        check(0, 0, 0, 0, 0);
        check(0, 0, 0, 120, 120);
        check(0, 0, 3, 0, 3 << 7);
        check(0, 7, 0, 0, 7 << 9);
        check((1 << 52) - 1, 0, 0, 0, !0xfff);
        check(5, 1, 2, 64, 5 << 12 | 1 << 9 | 2 << 7 | 64);
    }

    #[test]
    fn debug_output_shows_each_field() {
        let shown = std::format!("{:?}", MessageInfo::new(5, 3, 2, 7));
        let expect = "MessageInfo { label: 5, caps_unwrapped: 3, extra_caps: 2, length: 7 }";
        assert_eq!(shown, expect);
    }

    #[test]
    fn any_word_from_the_kernel_is_accepted() {
        assert_eq!(MessageInfo::from_word(!0).into_word(), !0);
        assert_eq!(MessageInfo::from_word(!0).length(), 127);
        assert_eq!(MessageInfo::label_width(), 52);
    }

    #[test]
    fn a_field_that_does_not_fit_panics() {
        let check = |make: fn() -> MessageInfo| {
            assert!(std::panic::catch_unwind(make).is_err());
        };
        check(|| MessageInfo::new(1 << 52, 0, 0, 0));
        check(|| MessageInfo::new(0, 8, 0, 0));
        check(|| MessageInfo::new(0, 0, 4, 0));
        check(|| MessageInfo::new(0, 0, 0, 121));
    }
}
