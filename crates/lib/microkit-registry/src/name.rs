//! What a service is called.

use core::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes};

/// The name of a service: one to 24 bytes.
///
/// It is always 24 bytes long, the rest zeros, so that two names are compared in the same time
/// whatever they are, and any bytes are a name: there is nothing to refuse.
#[derive(Copy, Clone, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable)]
#[repr(transparent)]
pub struct Name([u8; Name::BYTES]);

impl Name {
    /// The most bytes of a name: three words of a message, so that with its answer it travels in CPU
    /// registers.
    pub const BYTES: usize = 24;

    /// A name, in a constant.
    ///
    /// **Panics:** if it is empty, has a zero byte, or is longer than 24 bytes; in a constant, the
    /// compiler says so.
    #[track_caller]
    pub const fn new(name: &str) -> Self {
        match Self::try_new(name) {
            Some(name) => name,
            None => panic!("a service's name has 1 to 24 bytes, none of them zero"),
        }
    }

    /// A name that is known when the program runs; `None` as [`new`](Self::new) panics.
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

    /// Not 0 if this is another name. Looks at all bytes, always.
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
    fn names_that_differ_anywhere_differ() {
        let name = Name::new("a name of 24 letters now");
        assert_eq!(name.difference(&name), 0);
        for index in 0..Name::BYTES {
            let mut other = name;
            other.0[index] ^= 0x80;
            assert_ne!(name.difference(&other), 0, "{index}");
        }
        assert_ne!(Name::new("a").difference(&Name::new("aa")), 0);
        // The same difference in two words, and in all three.
        for indices in [&[0, 8][..], &[0, 16], &[8, 16], &[0, 8, 16]] {
            let mut other = name;
            indices.iter().for_each(|index| other.0[*index] ^= 0x80);
            assert_ne!(name.difference(&other), 0, "{indices:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_can_be_shown() {
        assert_eq!(
            format!("{}", Name([0xff; Name::BYTES])).len(),
            4 * Name::BYTES
        );
        assert_eq!(format!("{}", Name([0; Name::BYTES])), "");
    }
}
