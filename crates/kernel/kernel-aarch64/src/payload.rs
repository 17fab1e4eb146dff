//! The format of an image: the kernel, followed by the payload. The payload contains the system.
//!
//! Every tool that builds an image for this kernel must follow these rules:
//!
//! - The image is raw bytes. A loader places the image at [`IMAGE_START`] and enters it at the
//!   first byte, at EL2, with the MMU and the caches off. QEMU's generic loader does this with the
//!   same command that starts an image of the Microkit SDK.
//! - The image starts with the kernel's ELF file, flattened. The byte at address *a* of a loadable
//!   segment is the image's byte *a* − [`IMAGE_START`]. All other bytes are zero, up to the address
//!   of the symbol [`START_SYMBOL`]. This address is a multiple of [`PAGE_BYTES`].
//! - The payload begins at the address of [`START_SYMBOL`]. The payload consists of [`MAGIC`], the
//!   length of the encoded boot spec as a little-endian `u64`, and the [boot
//!   spec](boot_spec::BootSpec::encode). The bytes of the segments follow in any order, each
//!   segment at a multiple of [`PAGE_BYTES`].
//! - [`Segment::image_offset`](boot_spec::Segment::image_offset) counts from the first byte of the
//!   image. All bytes of a segment come after the boot spec.
//! - The image ends before the [heap](HEAP).
//! - No PD maps [`KERNEL_MEMORY`](crate::layout::KERNEL_MEMORY), and no segment is copied there.
//!   All other [`SYSTEM_MEMORY`](crate::layout::SYSTEM_MEMORY) that PDs map is zero before segments
//!   are copied.
//!
//! The kernel checks all of these rules. If an image breaks a rule, the kernel prints an error and
//! halts.

use crate::layout::{HEAP, IMAGE_START};
use boot_spec::{BootSpec, DecodeError, Segment};
use core::fmt;
use core::ops::Range;

/// The first bytes of the payload. The last byte is the version.
pub const MAGIC: [u8; 8] = *b"MKLOAD\0\x01";

/// The symbol of the payload's start in the kernel's ELF file.
pub const START_SYMBOL: &str = "__payload_start";

/// The alignment of the payload, and of each segment in it.
pub const PAGE_BYTES: u64 = microkit_abi::limits::SMALL_PAGE_BYTES;

/// The size limit of an image.
pub const MAX_IMAGE_BYTES: u64 = HEAP.start - IMAGE_START;

/// The number of bytes before the encoded boot spec.
const HEADER_BYTES: usize = MAGIC.len() + size_of::<u64>();

/// An error in a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayloadError {
    /// The payload does not begin with [`MAGIC`], so the image has no system.
    Missing,
    /// The payload has this unsupported version.
    Version(u8),
    /// The boot spec is longer than an image can be.
    TooLong {
        /// The length in the header, in bytes.
        bytes: u64,
    },
    /// The boot spec cannot be decoded.
    Spec(DecodeError),
    /// The bytes of a segment are not in the image, or not after the boot spec.
    Segment {
        /// The index of the segment in the boot spec.
        segment: usize,
    },
}

impl fmt::Display for PayloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(f, "the image has no system behind the kernel"),
            Self::Version(version) => {
                let own = MAGIC[7];
                write!(
                    f,
                    "the image has version {version}, but this kernel reads version {own}"
                )
            }
            Self::TooLong { bytes } => {
                write!(f, "a boot spec of {bytes} bytes does not fit an image")
            }
            Self::Spec(error) => write!(f, "{error}"),
            Self::Segment { segment } => write!(
                f,
                "segment {segment}: its bytes are not in the image behind the boot spec"
            ),
        }
    }
}

impl core::error::Error for PayloadError {}

/// A system in memory. The boot spec is decoded, and the bytes of all segments exist.
#[derive(Debug)]
pub struct Payload<'a> {
    /// The boot spec. The spec has not been [validated](BootSpec::validate).
    pub spec: BootSpec,
    bytes: &'a [u8],
    start: u64,
}

impl<'a> Payload<'a> {
    /// Finds the system in `bytes`. These bytes start at [`START_SYMBOL`] and extend to the largest
    /// possible end of an image. `start` is the offset of `bytes` in the image.
    ///
    /// # Errors
    ///
    /// Fails if the payload has another version, or if a part of the payload is missing.
    pub fn find(bytes: &'a [u8], start: u64) -> Result<Self, PayloadError> {
        let (header, rest) = bytes
            .split_first_chunk::<HEADER_BYTES>()
            .ok_or(PayloadError::Missing)?;
        if header[..7] != MAGIC[..7] {
            return Err(PayloadError::Missing);
        }
        if header[7] != MAGIC[7] {
            return Err(PayloadError::Version(header[7]));
        }
        let length = u64::from_le_bytes(header[8..].try_into().unwrap_or_default());
        let spec = usize::try_from(length)
            .ok()
            .and_then(|length| rest.get(..length))
            .ok_or(PayloadError::TooLong { bytes: length })?;
        let spec_end = HEADER_BYTES + spec.len();
        let spec = BootSpec::decode(spec).map_err(PayloadError::Spec)?;
        let payload = Self { spec, bytes, start };
        for (segment, place) in payload.spec.segments.iter().enumerate() {
            let found = payload.place(place).filter(|place| place.start >= spec_end);
            found.ok_or(PayloadError::Segment { segment })?;
        }
        Ok(payload)
    }

    /// Returns the bytes of a segment of the boot spec.
    pub fn segment(&self, segment: &Segment) -> &'a [u8] {
        // `find` has checked that the bytes exist.
        let bytes = self.place(segment).and_then(|place| self.bytes.get(place));
        bytes.unwrap_or_default()
    }

    /// Returns the range of a segment in `bytes`, or `None` if the segment is outside.
    fn place(&self, segment: &Segment) -> Option<Range<usize>> {
        let start = segment.image_offset.checked_sub(self.start)?;
        let end = start.checked_add(segment.bytes)?;
        let place = usize::try_from(start).ok()?..usize::try_from(end).ok()?;
        (place.end <= self.bytes.len()).then_some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    const START: u64 = 0x1_0000;

    /// Returns a payload with one segment, and its boot spec.
    fn packed() -> (Vec<u8>, BootSpec) {
        let segment = Segment {
            paddr: 0x6000_0000,
            bytes: 3,
            image_offset: START + PAGE_BYTES,
        };
        let spec = BootSpec {
            segments: vec![segment],
            ..Default::default()
        };
        (pack(&spec, b"abc"), spec)
    }

    fn pack(spec: &BootSpec, segment: &[u8]) -> Vec<u8> {
        let spec = spec.encode();
        let mut bytes = Vec::from(MAGIC);
        bytes.extend_from_slice(&(spec.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&spec);
        bytes.resize(PAGE_BYTES as usize, 0);
        bytes.extend_from_slice(segment);
        bytes
    }

    #[track_caller]
    fn refuse(bytes: &[u8], expect: PayloadError) {
        let found = Payload::find(bytes, START).map(|payload| payload.spec);
        assert_eq!(found, Err(expect));
    }

    #[test]
    fn a_packed_system_is_found() {
        let (bytes, spec) = packed();
        let payload = Payload::find(&bytes, START).expect("it is whole");
        assert_eq!(payload.spec, spec);
        assert_eq!(payload.segment(&spec.segments[0]), b"abc");
    }

    #[test]
    fn bytes_that_are_not_a_payload_are_refused() {
        let (bytes, _) = packed();
        for length in 0..HEADER_BYTES {
            refuse(&bytes[..length], PayloadError::Missing);
        }
        refuse(&[0; 64], PayloadError::Missing);
        let mut other = bytes.clone();
        other[7] = 2;
        refuse(&other, PayloadError::Version(2));
    }

    #[test]
    fn a_false_length_is_refused() {
        let (mut bytes, _) = packed();
        for length in [bytes.len() as u64, u64::MAX] {
            bytes[8..16].copy_from_slice(&length.to_le_bytes());
            refuse(&bytes, PayloadError::TooLong { bytes: length });
        }
        bytes[8..16].copy_from_slice(&3_u64.to_le_bytes());
        refuse(&bytes, PayloadError::Spec(DecodeError::NotASpec));
    }

    #[test]
    fn segments_must_be_behind_the_boot_spec_and_in_the_image() {
        let (_, spec) = packed();
        let places = [
            (START - 1, 2),
            (START, 3),
            (START + 20, 3),
            (0, 3),
            (START + PAGE_BYTES, 4),
            (START + PAGE_BYTES + 4, 1),
            (u64::MAX, 3),
            (START + PAGE_BYTES, u64::MAX),
        ];
        for (image_offset, bytes) in places {
            let mut spec = spec.clone();
            spec.segments[0].image_offset = image_offset;
            spec.segments[0].bytes = bytes;
            refuse(&pack(&spec, b"abc"), PayloadError::Segment { segment: 0 });
        }
    }

    #[test]
    fn no_change_of_a_byte_is_a_panic() {
        let (bytes, _) = packed();
        for at in 0..bytes.len() {
            for change in [1, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] ^= change;
                let _ = Payload::find(&damaged, START);
            }
        }
    }
}
