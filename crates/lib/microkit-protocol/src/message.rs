//! The types that can travel in a message, and their layout in message registers.

use zerocopy::{Immutable, IntoBytes, TryFromBytes};

use crate::Invalid;

/// The maximum number of words in a call or a reply (Microkit manual, *Protected procedure calls*).
pub const MAX_WORDS: usize = 64;

/// Converts a value to and from the words of a message.
///
/// For its own types, a program derives `zerocopy`'s traits instead of implementing this trait:
///
/// ```
/// use microkit_protocol::{Message, Plain};
/// use zerocopy::{Immutable, IntoBytes, TryFromBytes};
///
/// #[derive(Debug, PartialEq, TryFromBytes, IntoBytes, Immutable)]
/// #[repr(C)]
/// struct Sector {
///     number: u64,
///     is_dirty: u8,
///     reserved: [u8; 7],
/// }
///
/// let sector = Sector { number: 9, is_dirty: 1, reserved: [0; 7] };
/// let mut words = [0; <Sector as Message<Plain>>::WORDS];
/// sector.put(&mut words);
/// assert_eq!(words, [9, 1]);
/// assert_eq!(Sector::take(&words), Ok(sector));
/// ```
///
/// The compiler infers `Kind`: [`Plain`] or [`Bounded`]. The parameter `Kind` separates two
/// implementations that would otherwise overlap.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel in a message",
    label = "not a type whose bytes are known",
    note = "for your own type: `#[derive(zerocopy::TryFromBytes, zerocopy::IntoBytes, \
            zerocopy::Immutable)]` with `#[repr(C)]`, or `#[repr(u8)]` for an enum",
    note = "for a list or a text: `heapless::Vec<T, N>` or `heapless::String<N>`"
)]
pub trait Message<Kind>: Sized {
    /// The number of words of every value of the type.
    const WORDS: usize;

    /// Writes the value to `WORDS` words. Unused bytes become zero.
    fn put(&self, words: &mut [u64]);

    /// Reads a value from `WORDS` words.
    ///
    /// # Errors
    ///
    /// Returns [`Invalid`] if the words are not a value of the type.
    fn take(words: &[u64]) -> Result<Self, Invalid>;
}

/// Marks a [`Message`] that travels as its bytes.
#[derive(Debug)]
pub enum Plain {}

/// Marks a [`Message`] that travels as a length and the whole capacity.
#[derive(Debug)]
pub enum Bounded {}

impl<T: TryFromBytes + IntoBytes + Immutable> Message<Plain> for T {
    const WORDS: usize = words_of_bytes(size_of::<T>());

    #[inline]
    fn put(&self, words: &mut [u64]) {
        if let Some(last) = words.last_mut() {
            *last = 0;
        }
        let bytes = self.as_bytes();
        words.as_mut_bytes()[..bytes.len()].copy_from_slice(bytes);
    }

    #[inline]
    fn take(words: &[u64]) -> Result<Self, Invalid> {
        let bytes = words.as_bytes().get(..size_of::<T>()).ok_or(Invalid)?;
        T::try_read_from_bytes(bytes).map_err(|_| Invalid)
    }
}

/// Returns the number of words that `bytes` bytes fill.
pub(crate) const fn words_of_bytes(bytes: usize) -> usize {
    bytes.div_ceil(size_of::<u64>())
}

/// Returns the number of words that a `T` fills.
pub const fn words<T: Message<Kind>, Kind>() -> usize {
    T::WORDS
}

/// Writes a value to the first words. Returns the remaining words.
#[inline]
pub fn put<'a, T: Message<Kind>, Kind>(value: &T, words: &'a mut [u64]) -> &'a mut [u64] {
    let (own, rest) = words.split_at_mut(T::WORDS);
    value.put(own);
    rest
}

/// Reads a value from the first words. Returns the value and the remaining words.
///
/// # Errors
///
/// Returns [`Invalid`] if `words` is too short, or if the words are not a value of the type.
#[inline]
pub fn take<T: Message<Kind>, Kind>(words: &[u64]) -> Result<(T, &[u64]), Invalid> {
    let (own, rest) = words.split_at_checked(T::WORDS).ok_or(Invalid)?;
    Ok((T::take(own)?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Copy, Clone, PartialEq, TryFromBytes, IntoBytes, Immutable)]
    #[repr(u8)]
    enum Colour {
        Red = 1,
        Green = 2,
    }

    /// Writes `value` over nonzero words, so that the check fails if `put` leaves a byte unwritten.
    fn check<T: Message<Kind> + PartialEq + core::fmt::Debug, Kind>(value: T, expect: &[u64]) {
        assert_eq!(T::WORDS, expect.len());
        let mut words = [!0; MAX_WORDS];
        put(&value, &mut words);
        assert_eq!(&words[..expect.len()], expect);
        assert!(words[expect.len()..].iter().all(|&word| word == !0));
        assert_eq!(take(&words), Ok((value, &words[expect.len()..])));
        if let Some(short) = expect.len().checked_sub(1) {
            assert_eq!(take::<T, _>(&words[..short]), Err(Invalid));
        }
    }

    #[test]
    fn a_value_fills_whole_words() {
        check((), &[]);
        check(7u8, &[7]);
        check(!0u32, &[0xffff_ffff]);
        check(-1i64, &[!0]);
        check(true, &[1]);
        check(Colour::Green, &[2]);
        check(1u128 << 64, &[0, 1]);
        check([1u8, 2, 3, 4, 5, 6, 7, 8, 9], &[0x0807_0605_0403_0201, 9]);
    }

    #[test]
    fn a_bit_pattern_that_is_not_a_value_is_an_error() {
        assert_eq!(<bool as Message<Plain>>::take(&[2]), Err(Invalid));
        assert_eq!(<char as Message<Plain>>::take(&[0xd800]), Err(Invalid));
        assert_eq!(<Colour as Message<Plain>>::take(&[0]), Err(Invalid));
        assert_eq!(<Colour as Message<Plain>>::take(&[1]), Ok(Colour::Red));
    }
}
