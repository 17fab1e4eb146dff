//! `heapless` strings and vectors in messages: a word with the length, then the whole capacity.
//!
//! The unused capacity travels as zeros. So every message of a method has the same length, and the
//! compiler can check this length.

use heapless::{LenType, String, Vec};
use zerocopy::{Immutable, IntoBytes, TryFromBytes};

use crate::message::words_of_bytes;
use crate::{Bounded, Invalid, Message};

impl<const N: usize, L: LenType> Message<Bounded> for String<N, L> {
    const WORDS: usize = 1 + words_of_bytes(N);

    fn put(&self, words: &mut [u64]) {
        put(self.len(), self.as_bytes(), words);
    }

    fn take(words: &[u64]) -> Result<Self, Invalid> {
        let (length, bytes) = split(words)?;
        let bytes = bytes.get(..length).ok_or(Invalid)?;
        let text = core::str::from_utf8(bytes).map_err(|_| Invalid)?;
        let mut string = Self::new();
        string.push_str(text).map_err(|_| Invalid)?;
        Ok(string)
    }
}

impl<T, const N: usize, L: LenType> Message<Bounded> for Vec<T, N, L>
where
    T: TryFromBytes + IntoBytes + Immutable,
{
    const WORDS: usize = 1 + words_of_bytes(N * size_of::<T>());

    fn put(&self, words: &mut [u64]) {
        put(self.len(), self.as_slice().as_bytes(), words);
    }

    fn take(words: &[u64]) -> Result<Self, Invalid> {
        let (length, bytes) = split(words)?;
        let mut values = Self::new();
        if length > N {
            return Err(Invalid);
        }
        for index in 0..length {
            let start = index * size_of::<T>();
            let bytes = bytes.get(start..start + size_of::<T>()).ok_or(Invalid)?;
            let value = T::try_read_from_bytes(bytes).map_err(|_| Invalid)?;
            values.push(value).map_err(|_| Invalid)?;
        }
        Ok(values)
    }
}

fn put(length: usize, bytes: &[u8], words: &mut [u64]) {
    words.fill(0);
    words[0] = length as u64;
    words[1..].as_mut_bytes()[..bytes.len()].copy_from_slice(bytes);
}

/// Splits words into the length and the bytes of the capacity.
fn split(words: &[u64]) -> Result<(usize, &[u8]), Invalid> {
    let (&length, rest) = words.split_first().ok_or(Invalid)?;
    let length = usize::try_from(length).map_err(|_| Invalid)?;
    Ok((length, rest.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{put, take};

    #[test]
    fn a_string_starts_with_its_length() {
        let name: String<12> = "pong".try_into().expect("it fits");
        let mut words = [!0; 4];
        put(&name, &mut words);
        assert_eq!(words, [4, 0x676e_6f70, 0, !0]);
        assert_eq!(take(&words), Ok((name, &[!0][..])));
    }

    #[test]
    fn a_vector_starts_with_its_length() {
        let values: Vec<u16, 6> = Vec::from_slice(&[1, 2, 3, 4, 5]).expect("it fits");
        let mut words = [!0; 3];
        put(&values, &mut words);
        assert_eq!(words, [5, 0x0004_0003_0002_0001, 5]);
        assert_eq!(take(&words), Ok((values, &[][..])));
    }

    #[test]
    fn a_length_or_value_that_does_not_fit_is_an_error() {
        let text = |words: [u64; 3]| String::<12>::take(&words).map(|text| text.len());
        assert_eq!(
            text([12, u64::from_le_bytes(*b"abcdefgh"), 0x6161_6161]),
            Ok(12)
        );
        assert_eq!(text([13, 0, 0]), Err(Invalid));
        assert_eq!(text([!0, 0, 0]), Err(Invalid));
        assert_eq!(text([1, 0xff, 0]), Err(Invalid));
        let flags = |words: [u64; 2]| Vec::<bool, 3>::take(&words).map(|flags| flags.len());
        assert_eq!(flags([3, 0x01_00_01]), Ok(3));
        assert_eq!(flags([3, 0x02_00_01]), Err(Invalid));
        assert_eq!(flags([2, 0x02_00_01]), Ok(2));
        assert_eq!(flags([4, 0]), Err(Invalid));
        assert_eq!(flags([!0, 0]), Err(Invalid));
        assert_eq!(Vec::<(), 2>::take(&[!0]), Err(Invalid));
        assert_eq!(Vec::<u8, 2>::take(&[]), Err(Invalid));
    }
}
