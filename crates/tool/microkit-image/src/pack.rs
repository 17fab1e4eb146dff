//! Makes the bootable image of a plan.
//!
//! The image is a raw binary. The loader puts the image at the first address of
//! [`Platform::kernel`]. The image holds, in this order:
//!
//! 1. the kernel, which runs from the first byte of the image;
//! 2. at the kernel's [`PAYLOAD_SYMBOL`]: [`PAYLOAD_MAGIC`], the length of the encoded boot spec as
//!    a little-endian `u64`, and the boot spec;
//! 3. from the next page on: the bytes of the segments, each in whole pages.
//!
//! The offset of a segment counts from the first byte of the image.

use boot_spec::BootSpec;
use microkit_abi::limits::SMALL_PAGE_BYTES;
use miette::Diagnostic;
use thiserror::Error;

use crate::elf::{ElfFile, Segment};
use crate::plan::Plan;
use crate::platform::Platform;
use crate::program_error::ProgramError;
use crate::wording::Bytes;

/// The bytes that the payload starts with.
pub const PAYLOAD_MAGIC: [u8; 8] = *b"MKLOAD\0\x01";

/// The symbol in the kernel's ELF file that marks the start of the payload.
pub const PAYLOAD_SYMBOL: &str = "__payload_start";

/// The reason why an image cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
#[expect(missing_docs, reason = "the message shows what each field is")]
#[non_exhaustive]
pub enum PackError {
    /// The kernel is not a loadable program.
    #[error("the ELF file of the model kernel {0}")]
    #[diagnostic(forward(0))]
    Kernel(ProgramError),

    /// The entry point of the kernel is not its load address.
    #[error("the model kernel starts at {entry:#x}, and the image is loaded at {start:#x}")]
    #[diagnostic(help("its linker script must put its first instruction there"))]
    Entry { entry: u64, start: u64 },

    /// A segment of the kernel overlaps another segment, or is not between the load address and the
    /// payload.
    #[error(
        "segment {index} of the model kernel is not alone between {start:#x}, where the image is \
         loaded, and {end:#x}, where the payload is"
    )]
    #[diagnostic(help(
        "its linker script must put all segments there, each at one address physical and virtual"
    ))]
    KernelSegment { index: usize, start: u64, end: u64 },

    /// The kernel expects the payload at an invalid address.
    #[error("the model kernel expects the payload at {at:#x}")]
    #[diagnostic(help(
        "its linker script must put `{PAYLOAD_SYMBOL}` at a page between {start:#x} and {end:#x}"
    ))]
    Payload { at: u64, start: u64, end: u64 },

    /// The image is larger than the memory for images.
    #[error("the image has {}, and there is room for {}", Bytes(*bytes), Bytes(*room))]
    #[diagnostic(help("make the programs, or the files that regions are filled with, smaller"))]
    TooLarge { bytes: u64, room: u64 },
}

/// Makes the image of `plan` with the model kernel. `kernel_elf` is the ELF file of the kernel. The
/// same plan and kernel always make the same image.
///
/// # Errors
///
/// Returns an error if the kernel is invalid, or if the image is too large.
pub fn pack(plan: &Plan, kernel_elf: &[u8]) -> Result<Vec<u8>, PackError> {
    let Platform {
        kernel, image_end, ..
    } = &plan.platform;
    let (start, end) = (kernel.start, *image_end);
    let elf = ElfFile::parse(kernel_elf).map_err(PackError::Kernel)?;
    let symbols = elf.symbols().map_err(PackError::Kernel)?;
    let at = symbols
        .find(PAYLOAD_SYMBOL)
        .map_err(PackError::Kernel)?
        .start;
    if !at.is_multiple_of(SMALL_PAGE_BYTES) || !(start..end).contains(&at) {
        return Err(PackError::Payload { at, start, end });
    }

    let payload_offset = at - start;
    let spec = spec_of(plan, payload_offset);
    let bytes = plan.contents.iter().map(|chunk| chunk.bytes.len() as u64);
    let bytes = bytes.fold(
        first_offset(payload_offset, spec.len()),
        u64::saturating_add,
    );
    if bytes > end - start {
        return Err(PackError::TooLarge {
            bytes,
            room: end - start,
        });
    }

    let mut image = flatten(&elf, start, at)?;
    image.extend(PAYLOAD_MAGIC);
    image.extend((spec.len() as u64).to_le_bytes());
    image.extend(&spec);
    image.resize(image.len().next_multiple_of(SMALL_PAGE_BYTES as usize), 0);
    for chunk in &plan.contents {
        image.extend(&chunk.bytes);
    }
    Ok(image)
}

/// Returns the kernel's memory from `start` up to `end`, as bytes.
fn flatten(elf: &ElfFile<'_>, start: u64, end: u64) -> Result<Vec<u8>, PackError> {
    let (mut segments, errors) = elf.segments();
    if let Some(error) = errors.into_iter().next() {
        return Err(PackError::Kernel(error));
    }
    segments.sort_by_key(|segment| segment.vaddr);
    let mut image = Vec::new();
    for Segment {
        index,
        vaddr,
        paddr,
        mem_bytes,
        file,
        ..
    } in &segments
    {
        let free_from = start + image.len() as u64;
        if vaddr != paddr || *vaddr < free_from || vaddr + mem_bytes > end {
            return Err(PackError::KernelSegment {
                index: *index,
                start,
                end,
            });
        }
        image.resize((vaddr - start) as usize, 0);
        image.extend_from_slice(file);
        image.resize((vaddr + mem_bytes - start) as usize, 0);
    }
    let entry = elf.entry();
    let is_code =
        |first: &Segment<'_>| first.vaddr == entry && first.perms.execute && !first.file.is_empty();
    if entry != start || !segments.first().is_some_and(is_code) {
        return Err(PackError::Entry { entry, start });
    }
    image.resize((end - start) as usize, 0);
    Ok(image)
}

/// Encodes the boot spec of a payload at `payload_offset`.
fn spec_of(plan: &Plan, payload_offset: u64) -> Vec<u8> {
    // A longer encoding moves the segments to higher offsets, and higher offsets can make the
    // encoding longer. The loop ends when the length no longer grows. The length cannot grow
    // forever, because an encoded number has at most ten bytes.
    let encode = |len| BootSpec::encode(&plan.boot_spec(first_offset(payload_offset, len)));
    let mut spec = encode(0);
    loop {
        let next = encode(spec.len());
        if first_offset(payload_offset, next.len()) == first_offset(payload_offset, spec.len()) {
            return next;
        }
        spec = next;
    }
}

/// Returns the offset of the first segment: the next page after a boot spec of `spec_bytes`.
fn first_offset(payload_offset: u64, spec_bytes: usize) -> u64 {
    let header_bytes = (PAYLOAD_MAGIC.len() + size_of::<u64>()) as u64;
    (payload_offset + header_bytes + spec_bytes as u64).next_multiple_of(SMALL_PAGE_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_start_on_the_first_page_behind_the_boot_spec() {
        let check = |spec_bytes, expect| assert_eq!(first_offset(0x4000, spec_bytes), expect);
        check(0, 0x5000);
        check(0x1000 - 16, 0x5000);
        check(0x1000 - 15, 0x6000);
    }
}
