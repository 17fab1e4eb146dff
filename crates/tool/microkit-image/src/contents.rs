//! The contents of memory at boot.

use std::collections::BTreeMap;

use microkit_abi::limits::SMALL_PAGE_BYTES;

use crate::frames::Extent;

const PAGE: u64 = SMALL_PAGE_BYTES;

/// The initial contents of a range of virtual addresses or of a memory region. Unwritten pages hold
/// zeros and are not stored.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contents {
    /// The written pages, by page number.
    pages: BTreeMap<u64, Vec<u8>>,
}

/// A sequence of whole pages at a physical address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) paddr: u64,
    pub(crate) bytes: Vec<u8>,
}

impl Contents {
    /// Writes `bytes` at `offset`. The bytes must fit in the range.
    pub(crate) fn write(&mut self, mut offset: u64, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let start = (offset % PAGE) as usize;
            let (now, later) = bytes.split_at(bytes.len().min(PAGE as usize - start));
            let page = self
                .pages
                .entry(offset / PAGE)
                .or_insert_with(|| vec![0; PAGE as usize]);
            page[start..start + now.len()].copy_from_slice(now);
            offset += now.len() as u64;
            bytes = later;
        }
    }

    /// Returns the written pages at their physical addresses. `extents` are the physical places of
    /// the range, in the order of the offsets in the range.
    fn placed(&self, extents: &[Extent]) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        let mut start = 0;
        for extent in extents {
            let numbers = start / PAGE..(start + extent.bytes) / PAGE;
            for (number, page) in self.pages.range(numbers) {
                if page.iter().any(|byte| *byte != 0) {
                    let paddr = extent.paddr + (number * PAGE - start);
                    chunks.push(Chunk {
                        paddr,
                        bytes: page.clone(),
                    });
                }
            }
            start += extent.bytes;
        }
        chunks
    }
}

/// Collects the contents of memory at boot without the unwritten pages. Chunks are in ascending
/// order, and adjacent pages are joined.
pub(crate) fn gather<'a>(placed: impl Iterator<Item = (&'a Contents, &'a [Extent])>) -> Vec<Chunk> {
    let mut pages: Vec<Chunk> = placed
        .flat_map(|(contents, extents)| contents.placed(extents))
        .collect();
    pages.sort_by_key(|page| page.paddr);
    let mut chunks: Vec<Chunk> = Vec::new();
    for page in pages {
        match chunks.last_mut() {
            Some(last) if last.paddr + last.bytes.len() as u64 == page.paddr => {
                last.bytes.extend(page.bytes);
            }
            _ => chunks.push(page),
        }
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(paddr: u64, bytes: u64) -> Extent {
        Extent { paddr, bytes }
    }

    #[test]
    fn pages_go_to_their_extents_and_zeros_stay_away() {
        let mut contents = Contents::default();
        contents.write(PAGE - 1, &[1, 2]);
        contents.write(3 * PAGE, &[0; 8]);
        contents.write(5 * PAGE + 8, &[3]);
        let extents = [extent(0x10_0000, PAGE), extent(0x20_0000, 8 * PAGE)];
        let chunks = gather([(&contents, &extents[..])].into_iter());
        let places: Vec<_> = chunks
            .iter()
            .map(|c| (c.paddr, c.bytes.len() as u64))
            .collect();
        assert_eq!(
            places,
            [(0x10_0000, PAGE), (0x20_0000, PAGE), (0x20_4000, PAGE)]
        );
        assert_eq!(chunks[0].bytes[PAGE as usize - 1], 1);
        assert_eq!((chunks[1].bytes[0], chunks[2].bytes[8]), (2, 3));
    }

    #[test]
    fn neighbours_become_one_piece() {
        let (mut one, mut other) = (Contents::default(), Contents::default());
        one.write(0, &[1; 2 * PAGE as usize]);
        other.write(0, &[2]);
        let (high, low) = ([extent(0x3000, 0x2000)], [extent(0x2000, 0x1000)]);
        let chunks = gather([(&one, &high[..]), (&other, &low[..])].into_iter());
        assert_eq!(chunks.len(), 1);
        assert_eq!((chunks[0].paddr, chunks[0].bytes.len()), (0x2000, 0x3000));
        assert_eq!((chunks[0].bytes[0], chunks[0].bytes[0x1000]), (2, 1));
    }
}
