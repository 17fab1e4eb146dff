//! The pages of a region for DMA. Each page is allocated at most once.

use core::ptr::NonNull;

use sel4_microkit::DmaRegion;
use virtio_drivers::PAGE_SIZE;

/// A region for DMA: allocates pages in ascending order and never frees pages.
#[derive(Debug)]
pub(crate) struct Pages {
    region: DmaRegion,
    given: usize,
}

impl Pages {
    /// Creates the pages of a region. Returns `None` if the region is not aligned to pages.
    pub(crate) fn new(region: DmaRegion) -> Option<Self> {
        let is_aligned = region.start().addr().get().is_multiple_of(PAGE_SIZE)
            && region.physical_address().is_multiple_of(PAGE_SIZE as u64);
        is_aligned.then_some(Self { region, given: 0 })
    }

    pub(crate) const fn region(&self) -> &DmaRegion {
        &self.region
    }

    /// Allocates zeroed pages. Returns the physical and the virtual address of the first page.
    pub(crate) fn give(&mut self, count: usize) -> Option<(u64, NonNull<u8>)> {
        let left = self.region.size_bytes() / PAGE_SIZE - self.given;
        if count > left {
            return None;
        }
        let offset = self.given * PAGE_SIZE;
        self.given += count;
        // SAFETY: 1. The pages are in the region, as checked above. 2. Nothing uses them yet
        //    (invariant 2), and this `Pages` owns the region (invariant 1).
        let start = unsafe {
            let start = self.region.start().add(offset);
            start.write_bytes(0, count * PAGE_SIZE);
            start
        };
        Some((self.region.physical_address() + offset as u64, start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{PHYSICAL, region};

    #[test]
    fn pages_are_given_once_and_zeroed_until_there_are_no_more() {
        let region = region(3);
        // SAFETY: the region belongs to the test.
        unsafe { region.start().write_bytes(7, 3 * PAGE_SIZE) };
        let start = region.start();
        let mut pages = Pages::new(region).expect("it is aligned");
        assert_eq!(pages.give(4), None);
        let (first, memory) = pages.give(2).expect("there are three");
        assert_eq!((first, memory), (PHYSICAL, start));
        let is_zero = |page: NonNull<u8>, bytes| {
            // SAFETY: the pages belong to the test.
            (0..bytes).all(|at| unsafe { page.add(at).read() } == 0)
        };
        assert!(is_zero(memory, 2 * PAGE_SIZE));
        assert_eq!(pages.give(2), None);
        assert_eq!(pages.give(usize::MAX), None);
        let (second, memory) = pages.give(1).expect("there is one");
        assert_eq!(second, PHYSICAL + 2 * PAGE_SIZE as u64);
        assert!(is_zero(memory, PAGE_SIZE));
        assert_eq!(pages.give(1), None);
        assert_eq!(
            pages.give(0).map(|(address, _)| address),
            Some(PHYSICAL + 0x3000)
        );
    }

    #[test]
    fn a_region_that_is_not_of_pages_is_refused() {
        let whole = region(2);
        // SAFETY: both parts are inside the region, and nothing else uses the region.
        let parts = unsafe {
            [
                DmaRegion::new(whole.start().add(8), PAGE_SIZE, PHYSICAL),
                DmaRegion::new(whole.start(), PAGE_SIZE, PHYSICAL + 8),
            ]
        };
        assert!(parts.into_iter().all(|part| Pages::new(part).is_none()));
    }
}
