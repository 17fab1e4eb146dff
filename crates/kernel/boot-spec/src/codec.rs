//! The encoding of a spec. Each value has exactly one encoding, and every other byte string is an
//! error.
//!
//! Numbers are encoded in little-endian base 128, without leading zero digits. A list is encoded as
//! its length and its elements, an enumeration as one byte, and a struct as its fields in order.
//! The encoding has no alignment and no padding.

use alloc::string::String;
use alloc::vec::Vec;

/// The reason why bytes cannot be decoded as a [`BootSpec`](crate::BootSpec).
#[derive(Debug, Copy, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes do not begin like an encoded spec.
    #[error("this is not a boot spec")]
    NotASpec,
    /// The bytes have another version of the encoding.
    #[error(
        "the boot spec has version {0}, but this program reads version {version}",
        version = crate::VERSION
    )]
    Version(u8),
    /// The bytes end within a value.
    #[error("the boot spec ends too early")]
    Truncated,
    /// Bytes follow the value.
    #[error("{count} bytes after the boot spec")]
    TrailingBytes {
        /// The number of bytes after the value.
        count: usize,
    },
    /// The byte at offset `at` is not valid.
    #[error("byte {at} of the boot spec is not valid")]
    Malformed {
        /// The offset of the byte.
        at: usize,
    },
}

/// A value that has an encoding.
pub(crate) trait Codec: Sized {
    /// Appends the encoding to `out`.
    fn put(&self, out: &mut Vec<u8>);

    /// Decodes one value.
    ///
    /// # Errors
    ///
    /// Fails with [`DecodeError::Truncated`] or [`DecodeError::Malformed`].
    fn take(input: &mut Reader<'_>) -> Result<Self, DecodeError>;
}

/// A cursor over bytes to decode.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(crate) fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub(crate) fn byte(&mut self) -> Result<u8, DecodeError> {
        let byte = *self.bytes.get(self.at).ok_or(DecodeError::Truncated)?;
        self.at += 1;
        Ok(byte)
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        if count > self.remaining() {
            return Err(DecodeError::Truncated);
        }
        let start = self.at;
        self.at += count;
        Ok(&self.bytes[start..self.at])
    }

    /// Returns the error that the last byte read is not valid.
    pub(crate) fn malformed(&self) -> DecodeError {
        DecodeError::Malformed {
            at: self.at.saturating_sub(1),
        }
    }
}

impl Codec for u64 {
    fn put(&self, out: &mut Vec<u8>) {
        let mut rest = *self;
        while rest >= 0x80 {
            out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
    }

    fn take(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut value = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = input.byte()?;
            let digit = u64::from(byte & 0x7f);
            let overflows = digit << shift >> shift != digit;
            let leading_zero = byte == 0 && shift > 0;
            if overflows || leading_zero {
                return Err(input.malformed());
            }
            value |= digit << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(input.malformed())
    }
}

/// Implements `Codec` for integers that are encoded like a `u64` and range-checked when decoded.
macro_rules! narrow {
    ($($int:ty)*) => {$(
        impl Codec for $int {
            fn put(&self, out: &mut Vec<u8>) {
                u64::from(*self).put(out);
            }

            fn take(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
                Self::try_from(u64::take(input)?).map_err(|_| input.malformed())
            }
        }
    )*};
}

narrow!(u8 u32);

impl Codec for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn take(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match input.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(input.malformed()),
        }
    }
}

impl<T: Codec> Codec for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn take(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        bool::take(input)?.then(|| T::take(input)).transpose()
    }
}

impl<T: Codec> Codec for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        for element in self {
            element.put(out);
        }
    }

    fn take(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = u64::take(input)?;
        // Every element has at least one byte. So this check refuses a false length before it
        // allocates memory.
        if count > input.remaining() as u64 {
            return Err(DecodeError::Truncated);
        }
        (0..count).map(|_| T::take(input)).collect()
    }
}

impl Codec for String {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        out.extend_from_slice(self.as_bytes());
    }

    fn take(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = usize::try_from(u64::take(input)?).map_err(|_| DecodeError::Truncated)?;
        let text = core::str::from_utf8(input.bytes(count)?).map_err(|_| input.malformed())?;
        Ok(text.into())
    }
}

impl<T: Codec> Codec for [T; 2] {
    fn put(&self, out: &mut Vec<u8>) {
        self[0].put(out);
        self[1].put(out);
    }

    fn take(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok([T::take(input)?, T::take(input)?])
    }
}

/// Defines a struct that is encoded as its fields in order.
macro_rules! record {
    ($(#[$attr:meta])* pub struct $name:ident {
        $($(#[$field_attr:meta])* pub $field:ident: $ty:ty,)*
    }) => {
        $(#[$attr])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            $($(#[$field_attr])* pub $field: $ty,)*
        }

        impl $crate::codec::Codec for $name {
            fn put(&self, out: &mut alloc::vec::Vec<u8>) {
                $($crate::codec::Codec::put(&self.$field, out);)*
            }

            fn take(
                input: &mut $crate::codec::Reader<'_>,
            ) -> Result<Self, $crate::codec::DecodeError> {
                Ok(Self { $($field: $crate::codec::Codec::take(input)?,)* })
            }
        }
    };
}

/// Defines an enumeration. Each variant is encoded as the byte in its definition.
macro_rules! choice {
    ($(#[$attr:meta])* pub enum $name:ident {
        $($(#[$variant_attr:meta])* $variant:ident = $byte:literal,)*
    }) => {
        $(#[$attr])*
        #[derive(Debug, Copy, Clone, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_attr])* $variant = $byte,)*
        }

        impl $crate::codec::Codec for $name {
            fn put(&self, out: &mut alloc::vec::Vec<u8>) {
                out.push(*self as u8);
            }

            fn take(
                input: &mut $crate::codec::Reader<'_>,
            ) -> Result<Self, $crate::codec::DecodeError> {
                match input.byte()? {
                    $($byte => Ok(Self::$variant),)*
                    _ => Err(input.malformed()),
                }
            }
        }
    };
}

pub(crate) use {choice, record};

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn check<T: Codec + PartialEq + core::fmt::Debug>(value: T, bytes: &[u8]) {
        let mut out = Vec::new();
        value.put(&mut out);
        assert_eq!(out, bytes, "encoding of {value:?}");
        assert_eq!(T::take(&mut Reader::new(bytes)), Ok(value));
    }

    fn refuse<T: Codec + PartialEq + core::fmt::Debug>(bytes: &[u8], error: DecodeError) {
        assert_eq!(T::take(&mut Reader::new(bytes)), Err(error), "{bytes:x?}");
    }

    #[test]
    fn numbers_are_as_short_as_they_can_be() {
        check(0_u64, &[0]);
        check(0x7f_u64, &[0x7f]);
        check(0x80_u64, &[0x80, 1]);
        check(
            u64::MAX,
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
        );
        check(0xff_u8, &[0xff, 1]);
    }

    #[test]
    fn leading_zero_digits_are_refused() {
        refuse::<u64>(&[0x80, 0], DecodeError::Malformed { at: 1 });
        refuse::<u64>(&[0x81, 0x80, 0], DecodeError::Malformed { at: 2 });
    }

    #[test]
    fn numbers_that_do_not_fit_are_refused() {
        let mut bytes = [0xff; 10];
        bytes[9] = 2;
        refuse::<u64>(&bytes, DecodeError::Malformed { at: 9 });
        refuse::<u8>(&[0x80, 2], DecodeError::Malformed { at: 1 });
        refuse::<u32>(
            &[0x80, 0x80, 0x80, 0x80, 0x10],
            DecodeError::Malformed { at: 4 },
        );
    }

    #[test]
    fn a_list_longer_than_the_bytes_is_refused_before_it_is_built() {
        refuse::<Vec<u8>>(&[0xff, 0xff, 0xff, 0x7f, 1], DecodeError::Truncated);
    }

    #[test]
    fn text_must_be_utf8() {
        check::<String>("é".into(), &[2, 0xc3, 0xa9]);
        refuse::<String>(&[1, 0xff], DecodeError::Malformed { at: 1 });
    }

    #[test]
    fn an_option_is_a_bool_and_a_value() {
        check(None::<u8>, &[0]);
        check(Some(7_u8), &[1, 7]);
        check(vec![true, false], &[2, 1, 0]);
        refuse::<Option<u8>>(&[2, 7], DecodeError::Malformed { at: 0 });
    }
}
