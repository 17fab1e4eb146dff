//! The word that describes a message.

use core::fmt;

use crate::Word;

/// `seL4_MessageInfo_t`: a message's label, length and capabilities, in one word.
///
/// From the least significant bit (`shared_types.bf`): 7 bits length, 2 bits number of extra
/// capabilities, 3 bits which of them were unwrapped, 52 bits label.
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
    /// Bits of a label.
    pub const LABEL_BITS: u32 = Word::BITS - LABEL_SHIFT;

    /// Describes a message of `length` words with `extra_caps` capabilities.
    ///
    /// # Panics
    ///
    /// If a field does not fit: a label of more than [`LABEL_BITS`](Self::LABEL_BITS) bits, more
    /// than 7 unwrapped, more than 3 extra capabilities, or a length above
    /// [`MAX_MESSAGE_WORDS`](crate::MAX_MESSAGE_WORDS).
    #[inline]
    pub const fn new(label: Word, caps_unwrapped: usize, extra_caps: usize, length: usize) -> Self {
        assert!(
            label >> Self::LABEL_BITS == 0,
            "a message's label has at most 52 bits"
        );
        assert!(
            caps_unwrapped < 1 << CAPS_UNWRAPPED_BITS,
            "at most 3 capabilities are unwrapped"
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

    /// Takes the word as the kernel gave it.
    #[inline]
    pub const fn from_word(word: Word) -> Self {
        Self(word)
    }

    /// The word as the kernel takes it.
    #[inline]
    pub const fn into_word(self) -> Word {
        self.0
    }

    /// What the message is about: the sender's choice, an invocation's number, or an error code.
    #[inline]
    pub const fn label(self) -> Word {
        self.0 >> LABEL_SHIFT
    }

    /// Which of the extra capabilities were unwrapped, a bit each.
    #[inline]
    pub const fn caps_unwrapped(self) -> usize {
        field(self.0, CAPS_UNWRAPPED_SHIFT, CAPS_UNWRAPPED_BITS)
    }

    /// How many capabilities the message carries.
    #[inline]
    pub const fn extra_caps(self) -> usize {
        field(self.0, EXTRA_CAPS_SHIFT, EXTRA_CAPS_BITS)
    }

    /// How many message registers the message fills.
    ///
    /// A sender may claim up to 127, so a receiver that indexes by it looks out: the kernel itself
    /// transfers at most [`MAX_MESSAGE_WORDS`](crate::MAX_MESSAGE_WORDS).
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
    fn each_field_is_shown() {
        let shown = std::format!("{:?}", MessageInfo::new(5, 3, 2, 7));
        let expect = "MessageInfo { label: 5, caps_unwrapped: 3, extra_caps: 2, length: 7 }";
        assert_eq!(shown, expect);
    }

    #[test]
    fn a_word_from_the_kernel_is_kept_as_it_is() {
        assert_eq!(MessageInfo::from_word(!0).into_word(), !0);
        assert_eq!(MessageInfo::from_word(!0).length(), 127);
        assert_eq!(MessageInfo::label_width(), 52);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let check = |make: fn() -> MessageInfo| {
            assert!(std::panic::catch_unwind(make).is_err());
        };
        check(|| MessageInfo::new(1 << 52, 0, 0, 0));
        check(|| MessageInfo::new(0, 8, 0, 0));
        check(|| MessageInfo::new(0, 0, 4, 0));
        check(|| MessageInfo::new(0, 0, 0, 121));
    }
}
