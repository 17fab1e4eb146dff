//! The message info word: the label, the length and the capabilities of a message.

use crate::numbers::MAX_MESSAGE_WORDS;

/// Describes a message (`seL4_MessageInfo_t`; seL4 manual, *Message Passing*).
///
/// # Examples
///
/// ```
/// use kernel_model::MessageInfo;
///
/// let info = MessageInfo::new(7, 2);
/// assert_eq!(info.to_word(), 7 << 12 | 2);
/// assert_eq!(MessageInfo::from_word(info.to_word()), info);
/// ```
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash, Default)]
pub struct MessageInfo {
    /// The label of 52 bits. The kernel passes the label on.
    pub label: u64,
    /// A bit for each capability that arrived as a badge.
    pub caps_unwrapped: u8,
    /// The number of capabilities.
    pub extra_caps: u8,
    /// The number of words.
    pub length: u8,
}

const LENGTH_BITS: u32 = 7;
const EXTRA_CAPS_BITS: u32 = 2;
const CAPS_UNWRAPPED_BITS: u32 = 3;
const LABEL_SHIFT: u32 = LENGTH_BITS + EXTRA_CAPS_BITS + CAPS_UNWRAPPED_BITS;

impl MessageInfo {
    /// Describes a message of `length` words without capabilities.
    pub const fn new(label: u64, length: u8) -> Self {
        Self {
            label,
            caps_unwrapped: 0,
            extra_caps: 0,
            length,
        }
    }

    /// Decodes the word as the kernel does. A length above the maximum counts as the maximum
    /// (`messageInfoFromWord`).
    pub const fn from_word(word: u64) -> Self {
        let length = (word & mask(LENGTH_BITS)) as u8;
        Self {
            label: word >> LABEL_SHIFT,
            caps_unwrapped: (word >> (LENGTH_BITS + EXTRA_CAPS_BITS) & mask(CAPS_UNWRAPPED_BITS))
                as u8,
            extra_caps: (word >> LENGTH_BITS & mask(EXTRA_CAPS_BITS)) as u8,
            length: if length as usize > MAX_MESSAGE_WORDS {
                MAX_MESSAGE_WORDS as u8
            } else {
                length
            },
        }
    }

    /// Encodes the word.
    pub const fn to_word(self) -> u64 {
        self.label << LABEL_SHIFT
            | (self.caps_unwrapped as u64 & mask(CAPS_UNWRAPPED_BITS))
                << (LENGTH_BITS + EXTRA_CAPS_BITS)
            | (self.extra_caps as u64 & mask(EXTRA_CAPS_BITS)) << LENGTH_BITS
            | self.length as u64 & mask(LENGTH_BITS)
    }
}

const fn mask(bits: u32) -> u64 {
    (1 << bits) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_lie_where_sel4_puts_them() {
        let info = MessageInfo {
            label: 0x000f_edcb_a987_6543,
            caps_unwrapped: 0b101,
            extra_caps: 0b11,
            length: 120,
        };
        let word = 0x000f_edcb_a987_6543 << 12 | 0b101 << 9 | 0b11 << 7 | 120;
        assert_eq!(info.to_word(), word);
        assert_eq!(MessageInfo::from_word(word), info);
    }

    #[test]
    fn a_length_beyond_the_longest_is_the_longest() {
        assert_eq!(MessageInfo::from_word(127).length, 120);
        assert_eq!(MessageInfo::from_word(119).length, 119);
    }
}
