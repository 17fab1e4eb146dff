//! Allocates free physical memory.

use std::ops::Range;

use crate::platform::Platform;

/// A range of physical memory.
#[derive(Debug, Copy, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Extent {
    /// The first address of the range.
    pub paddr: u64,
    /// The length in bytes.
    pub bytes: u64,
}

impl Extent {
    /// Returns the first address above the range.
    pub fn end(&self) -> u64 {
        self.paddr + self.bytes
    }

    /// Returns the addresses of the range.
    pub fn range(&self) -> Range<u64> {
        self.paddr..self.end()
    }
}

/// The free part of main memory: ranges in ascending order. No range is empty, and no two ranges
/// are adjacent.
#[derive(Debug, Clone)]
pub(crate) struct Frames {
    free: Vec<Range<u64>>,
}

impl Frames {
    /// Starts with all main memory except the kernel's part.
    pub(crate) fn new(platform: &Platform) -> Self {
        let mut frames = Self {
            free: vec![platform.ram.clone()],
        };
        frames.remove(&platform.kernel);
        frames
    }

    /// Removes the free parts of `range`.
    pub(crate) fn remove(&mut self, range: &Range<u64>) {
        if range.is_empty() {
            return;
        }
        let around = |free: &Range<u64>| {
            [
                free.start..free.end.min(range.start),
                free.start.max(range.end)..free.end,
            ]
        };
        self.free = self
            .free
            .iter()
            .flat_map(around)
            .filter(|part| !part.is_empty())
            .collect();
    }

    /// Returns the free memory, in bytes.
    pub(crate) fn free_bytes(&self) -> u64 {
        self.free.iter().map(|free| free.end - free.start).sum()
    }

    /// Returns the free memory in whole pages of `page_bytes`, in bytes.
    pub(crate) fn free_in_pages(&self, page_bytes: u64) -> u64 {
        self.whole_pages(page_bytes)
            .map(|extent| extent.bytes)
            .sum()
    }

    /// Returns the length of the longest sequence of whole free pages of `page_bytes`, in bytes.
    pub(crate) fn longest(&self, page_bytes: u64) -> u64 {
        self.whole_pages(page_bytes)
            .map(|extent| extent.bytes)
            .max()
            .unwrap_or(0)
    }

    /// Allocates `bytes`, a multiple of `page_bytes`, in one piece. Uses the lowest free range that
    /// is large enough.
    pub(crate) fn one_piece(&mut self, bytes: u64, page_bytes: u64) -> Option<Extent> {
        let place = self
            .whole_pages(page_bytes)
            .find(|extent| extent.bytes >= bytes)?;
        let extent = Extent { bytes, ..place };
        self.remove(&extent.range());
        Some(extent)
    }

    /// Allocates `bytes`, a multiple of `page_bytes`, in one piece if possible. Otherwise uses the
    /// lowest free pages. Returns `None` if too few pages are free.
    pub(crate) fn pieces(&mut self, bytes: u64, page_bytes: u64) -> Option<Vec<Extent>> {
        if let Some(piece) = self.one_piece(bytes, page_bytes) {
            return Some(vec![piece]);
        }
        let mut wanted = bytes;
        let mut pieces = Vec::new();
        for place in self.whole_pages(page_bytes) {
            if wanted == 0 {
                break;
            }
            let piece = Extent {
                bytes: place.bytes.min(wanted),
                ..place
            };
            wanted -= piece.bytes;
            pieces.push(piece);
        }
        if wanted > 0 {
            return None;
        }
        pieces.iter().for_each(|piece| self.remove(&piece.range()));
        Some(pieces)
    }

    /// Returns the whole pages of each free range.
    fn whole_pages(&self, page_bytes: u64) -> impl Iterator<Item = Extent> {
        self.free.iter().filter_map(move |free| {
            let paddr = free.start.checked_next_multiple_of(page_bytes)?;
            let end = free.end - free.end % page_bytes;
            (paddr < end).then(|| Extent {
                paddr,
                bytes: end - paddr,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: u64 = 0x1000;

    fn frames(free: &[Range<u64>]) -> Frames {
        Frames {
            free: free.to_vec(),
        }
    }

    #[test]
    fn the_kernels_part_is_not_free() {
        let frames = Frames::new(&Platform::QEMU_VIRT_AARCH64);
        assert_eq!(
            frames.free,
            [0x6000_0000..0x7000_0000, 0x8000_0000..0xc000_0000]
        );
        assert_eq!(frames.free_bytes(), 0x5000_0000);
    }

    #[test]
    fn what_is_removed_is_gone_and_nothing_else() {
        let check = |range: Range<u64>, expect: &[Range<u64>]| {
            let mut frames = frames(&[0x1000..0x4000, 0x6000..0x8000]);
            frames.remove(&range);
            assert_eq!(frames.free, expect, "{range:x?}");
        };
        check(0..0x1000, &[0x1000..0x4000, 0x6000..0x8000]);
        check(0x2000..0x2000, &[0x1000..0x4000, 0x6000..0x8000]);
        check(
            0x2000..0x3000,
            &[0x1000..0x2000, 0x3000..0x4000, 0x6000..0x8000],
        );
        check(0x3000..0x7000, &[0x1000..0x3000, 0x7000..0x8000]);
        check(0..u64::MAX, &[]);
    }

    #[test]
    fn one_piece_is_the_lowest_that_is_long_enough_and_aligned() {
        let check = |bytes, page_bytes, expect| {
            let mut frames = frames(&[0x1000..0x2000, 0x3000..0x8000, 0xa000..0x20000]);
            let place = frames.one_piece(bytes, page_bytes);
            assert_eq!(
                place.map(|extent| extent.paddr),
                expect,
                "{bytes:#x} {page_bytes:#x}"
            );
        };
        check(0x1000, PAGE, Some(0x1000));
        check(0x2000, PAGE, Some(0x3000));
        check(0x2000, 2 * PAGE, Some(0x4000));
        check(0x8000, 8 * PAGE, Some(0x10000));
        check(0x17000, PAGE, None);
        assert_eq!(
            frames(&[0x2000..0x5000, 0x7000..0x9000]).free_in_pages(2 * PAGE),
            0x2000
        );
        assert_eq!(
            frames(&[0x1000..0x2000, 0x3000..0x8000]).longest(2 * PAGE),
            0x4000
        );
    }

    #[test]
    fn pieces_are_one_if_possible_and_all_or_none() {
        let mut frames = frames(&[0x1000..0x2000, 0x3000..0x8000]);
        assert_eq!(frames.free_in_pages(2 * PAGE), 0x4000);
        assert_eq!(frames.pieces(0x7000, PAGE), None);
        assert_eq!(frames.free_bytes(), 0x6000);
        let one = vec![Extent {
            paddr: 0x3000,
            bytes: 0x2000,
        }];
        assert_eq!(frames.pieces(0x2000, PAGE), Some(one));
        let two = vec![
            Extent {
                paddr: 0x1000,
                bytes: 0x1000,
            },
            Extent {
                paddr: 0x5000,
                bytes: 0x3000,
            },
        ];
        assert_eq!(frames.pieces(0x4000, PAGE), Some(two));
        assert_eq!(frames.free, []);
    }
}
