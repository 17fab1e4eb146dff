//! The names of services.

use core::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes};

/// The name of a service: 1 to 24 bytes.
///
/// ```
/// use microkit_registry::Name;
///
/// const BELL: Name = Name::new("bell");
/// assert_eq!(BELL.to_string(), "bell");
/// assert_eq!(Name::try_new("a name of more than 24 bytes"), None);
/// ```
///
/// A name always occupies 24 bytes, padded with zeros. So a comparison of two names always takes
/// the same time. Any 24 bytes of a message are a valid name, so the registry never refuses a
/// malformed name.
#[derive(Copy, Clone, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable)]
#[repr(transparent)]
pub struct Name([u8; Name::BYTES]);

impl Name {
    /// The maximum length of a name in bytes. A name fills three message registers, so a request
    /// fits into CPU registers.
    pub const BYTES: usize = 24;

    /// Creates a name. Call this in a constant, so that the compiler checks the name.
    ///
    /// # Panics
    ///
    /// Panics if the name is empty, contains a zero byte, or is longer than 24 bytes.
    #[track_caller]
    pub const fn new(name: &str) -> Self {
        match Self::try_new(name) {
            Some(name) => name,
            None => panic!("a service's name has 1 to 24 bytes, none of which is zero"),
        }
    }

    /// Creates a name from a string that is known only at run time. Returns `None` if
    /// [`new`](Self::new) would panic.
    pub const fn try_new(name: &str) -> Option<Self> {
        let text = name.as_bytes();
        if text.is_empty() || text.len() > Self::BYTES {
            return None;
        }
        let mut bytes = [0; Self::BYTES];
        let mut index = 0;
        while index < text.len() {
            if text[index] == 0 {
                return None;
            }
            bytes[index] = text[index];
            index += 1;
        }
        Some(Self(bytes))
    }

    pub(crate) const fn bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// Returns 0 if the names are equal. Always reads all bytes, so the execution time does not
    /// depend on the names.
    #[inline]
    pub(crate) fn difference(&self, other: &Self) -> u64 {
        let words = |name: &Self| {
            let (words, _) = name.0.as_chunks::<8>();
            [0, 1, 2].map(|index| u64::from_le_bytes(words[index]))
        };
        let (one, other) = (words(self), words(other));
        (one[0] ^ other[0]) | (one[1] ^ other[1]) | (one[2] ^ other[2])
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.0.iter().position(|byte| *byte == 0);
        self.0[..end.unwrap_or(Self::BYTES)].escape_ascii().fmt(f)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::format;

    use super::*;

    #[test]
    fn a_name_has_one_to_24_bytes() {
        let check = |text: &str, is_name: bool| {
            let name = Name::try_new(text);
            assert_eq!(name.is_some(), is_name, "{text}");
            if let Some(name) = name {
                assert_eq!(format!("{name} {name:?}"), format!("{text} \"{text}\""));
            }
        };
        check("", false);
        check("a", true);
        check("a name of 24 letters now", true);
        check("a name of 25 letters, now", false);
        check("a\0b", false);
    }

    #[test]
    fn a_difference_in_any_byte_is_found() {
        let name = Name::new("a name of 24 letters now");
        assert_eq!(name.difference(&name), 0);
        for index in 0..Name::BYTES {
            let mut other = name;
            other.0[index] ^= 0x80;
            assert_ne!(name.difference(&other), 0, "{index}");
        }
        assert_ne!(Name::new("a").difference(&Name::new("aa")), 0);
        // Equal differences in two or three words must not cancel each other out.
        for indices in [&[0, 8][..], &[0, 16], &[8, 16], &[0, 8, 16]] {
            let mut other = name;
            indices.iter().for_each(|index| other.0[*index] ^= 0x80);
            assert_ne!(name.difference(&other), 0, "{indices:?}");
        }
    }

    #[test]
    fn bytes_that_are_not_text_can_be_printed() {
        assert_eq!(
            format!("{}", Name([0xff; Name::BYTES])).len(),
            4 * Name::BYTES
        );
        assert_eq!(format!("{}", Name([0; Name::BYTES])), "");
    }
}
