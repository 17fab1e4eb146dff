//! The allocator of memory for DMA by `virtio-drivers`.
//!
//! If a buffer is outside of the region, the device uses a copy. These copies are in the first
//! page, in granules of 64 bytes. The other pages are allocated as whole pages.

use core::ptr::NonNull;
use sel4_microkit::DmaRegion;
use virtio_drivers::{BufferDirection, PAGE_SIZE};

use crate::pages::Pages;

const GRANULE_BYTES: usize = 64;

/// The number of granules of a page. [`Pool::copies`] has one bit for each granule.
const GRANULES: usize = PAGE_SIZE / GRANULE_BYTES;

/// A region for DMA, and the record of its used parts.
///
/// Invariant: the first page is allocated for copies. For each granule of this page that a device
/// may use, a bit of `copies` is set.
#[derive(Debug)]
pub(crate) struct Pool {
    pages: Pages,
    copies: u64,
}

impl Pool {
    /// Creates a pool of the region's pages.
    ///
    /// # Panics
    ///
    /// Panics if the region has fewer than two pages, or is not aligned to pages.
    pub(crate) fn new(region: DmaRegion) -> Self {
        let (bytes, start) = (region.size_bytes(), region.start());
        let pages = Pages::new(region).filter(|_| bytes >= 2 * PAGE_SIZE);
        let Some(mut pages) = pages else {
            panic!(
                "the region for DMA has {bytes} bytes at {start:p}: give it two whole pages or more"
            );
        };
        let copies = pages.give(1);
        debug_assert!(copies.is_some_and(|(_, copies)| copies == start));
        Self { pages, copies: 0 }
    }

    /// Allocates zeroed pages. Returns the physical and the virtual address of the first page.
    pub(crate) fn give_pages(&mut self, count: usize) -> Option<(u64, NonNull<u8>)> {
        self.pages.give(count)
    }

    /// Shares a buffer with a device, directly or as a copy, and returns the physical address.
    ///
    /// # Panics
    ///
    /// Panics if the first page has no room for a copy.
    ///
    /// # Safety
    ///
    /// The buffer must be readable.
    pub(crate) unsafe fn share(
        &mut self,
        buffer: NonNull<[u8]>,
        direction: BufferDirection,
    ) -> u64 {
        if let Some(offset) = self.offset_of(buffer) {
            return self.pages.region().physical_address() + offset as u64;
        }
        let granules = buffer.len().div_ceil(GRANULE_BYTES);
        let first = (0..GRANULES).find(|&first| {
            first + granules <= GRANULES && self.copies & mask(first, granules) == 0
        });
        let Some(first) = first else {
            panic!(
                "there is no room for {} bytes among the copies for DMA: put larger buffers into \
                 the region",
                buffer.len()
            );
        };
        self.copies |= mask(first, granules);
        let offset = first * GRANULE_BYTES;
        if direction != BufferDirection::DeviceToDriver {
            // SAFETY: 1. The granules are in the first page. By the invariant, nothing uses
            //    these granules. Together, the granules are not smaller than the buffer (invariant
            //    3).
            // 2. The caller promises that the buffer is readable. The buffer is not in the region.
            unsafe {
                let copy = self.pages.region().start().add(offset);
                copy.copy_from_nonoverlapping(buffer.cast(), buffer.len());
            }
        }
        self.pages.region().physical_address() + offset as u64
    }

    /// Ends the sharing of a buffer with the device, and copies the device's data into the buffer.
    ///
    /// # Safety
    ///
    /// 1. The buffer must be writable. 2. `physical_address` must be the result of `share` for the
    ///    buffer, and the device must no longer use that address.
    pub(crate) unsafe fn unshare(
        &mut self,
        physical_address: u64,
        buffer: NonNull<[u8]>,
        direction: BufferDirection,
    ) {
        if self.offset_of(buffer).is_some() {
            return;
        }
        let offset = (physical_address - self.pages.region().physical_address()) as usize;
        assert!(
            offset + buffer.len() <= PAGE_SIZE,
            "a buffer of {} bytes is not the one of which a copy was made at {offset}",
            buffer.len()
        );
        let first = offset / GRANULE_BYTES;
        if direction != BufferDirection::DriverToDevice {
            // SAFETY: 1. The caller promises that `share` has given these granules for the
            //    buffer, that the buffer is writable, and that the device no longer uses the
            //    granules (invariant 3).
            // 2. The buffer is not in the region, and the granules are in the first page.
            unsafe {
                let copy = self.pages.region().start().add(offset);
                copy.copy_to_nonoverlapping(buffer.cast(), buffer.len());
            }
        }
        self.copies &= !mask(first, buffer.len().div_ceil(GRANULE_BYTES));
    }

    /// Returns the offset of a buffer in the region, if the buffer is in the region.
    fn offset_of(&self, buffer: NonNull<[u8]>) -> Option<usize> {
        let address = buffer.addr().get();
        let offset = address.checked_sub(self.pages.region().start().addr().get())?;
        let end = offset.checked_add(buffer.len())?;
        (end <= self.pages.region().size_bytes()).then_some(offset)
    }
}

/// Returns the bits of `count` granules, starting at the granule `first`.
fn mask(first: usize, count: usize) -> u64 {
    let ones = if count >= 64 {
        u64::MAX
    } else {
        (1 << count) - 1
    };
    ones << first
}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use super::*;
    use crate::tests::{PHYSICAL, region};

    fn pool(pages: usize) -> Pool {
        Pool::new(region(pages))
    }

    /// Returns the memory that a device accesses at a physical address.
    fn at(pool: &Pool, address: u64, length: usize) -> NonNull<[u8]> {
        let offset = (address - PHYSICAL) as usize;
        assert!(offset + length <= pool.pages.region().size_bytes());
        // SAFETY: the address is in the region.
        let start = unsafe { pool.pages.region().start().add(offset) };
        NonNull::slice_from_raw_parts(start, length)
    }

    /// Reads bytes in the role of a device.
    fn read(pool: &Pool, address: u64, length: usize) -> Vec<u8> {
        // SAFETY: the buffer is in the region, and nothing writes to the region during the read.
        unsafe { at(pool, address, length).as_ref() }.to_vec()
    }

    /// Fills a buffer with one byte value, in the role of a device.
    fn fill(pool: &Pool, address: u64, length: usize, byte: u8) {
        // SAFETY: the buffer is in the region. Nothing else accesses the region during the write.
        unsafe { at(pool, address, length).as_mut() }.fill(byte);
    }

    #[test]
    fn the_page_for_copies_is_given_to_nobody() {
        let mut pool = pool(2);
        let (page, _) = pool.give_pages(1).expect("there are two");
        assert_eq!(page, PHYSICAL + PAGE_SIZE as u64);
        assert_eq!(pool.give_pages(1), None);
    }

    #[test]
    fn a_buffer_elsewhere_is_copied_there_and_back() {
        use BufferDirection::{DeviceToDriver, DriverToDevice};
        let mut pool = pool(2);
        let mut out: Vec<u8> = (0..100).collect();
        let mut back = [1; 20];
        let (out, back) = (NonNull::from(&mut out[..]), NonNull::from(&mut back[..]));
        // SAFETY: both buffers live longer than the pool, and nothing else uses the buffers.
        unsafe {
            let (there, here) = (
                pool.share(out, DriverToDevice),
                pool.share(back, DeviceToDriver),
            );
            assert!(there.abs_diff(here) >= 100 && there < PHYSICAL + PAGE_SIZE as u64);
            assert_eq!(read(&pool, there, 100), out.as_ref());
            assert_eq!(read(&pool, here, 20), [0; 20]);
            fill(&pool, there, 100, 9);
            fill(&pool, here, 20, 8);
            pool.unshare(there, out, DriverToDevice);
            pool.unshare(here, back, DeviceToDriver);
            assert_eq!((out.as_ref()[99], back.as_ref()), (99, &[8; 20][..]));
        }
        assert_eq!(pool.copies, 0);
    }

    #[test]
    fn room_for_copies_is_used_whole_and_again() {
        let mut pool = pool(2);
        let mut buffer = vec![0; PAGE_SIZE];
        let whole = NonNull::from(&mut buffer[..]);
        let part = NonNull::slice_from_raw_parts(whole.cast(), GRANULE_BYTES + 1);
        // SAFETY: the buffer lives longer than the pool, and nothing else uses the buffer.
        unsafe {
            for _ in 0..3 {
                let address = pool.share(whole, BufferDirection::Both);
                assert_eq!((address, pool.copies), (PHYSICAL, u64::MAX));
                pool.unshare(address, whole, BufferDirection::Both);
            }
            let parts: Vec<_> = (0..GRANULES / 2)
                .map(|_| pool.share(part, BufferDirection::Both))
                .collect();
            assert_eq!(pool.copies, u64::MAX);
            pool.unshare(parts[5], part, BufferDirection::Both);
            assert_eq!(pool.share(part, BufferDirection::Both), parts[5]);
        }
    }

    #[test]
    fn a_buffer_in_the_region_is_shared_as_it_is() {
        let mut pool = pool(3);
        let (address, start) = pool.give_pages(1).expect("there are two");
        let buffer = NonNull::slice_from_raw_parts(start, 512);
        // SAFETY: the pool has allocated the buffer, and nothing else uses the buffer.
        unsafe {
            assert_eq!(pool.share(buffer, BufferDirection::Both), address);
            pool.unshare(address, buffer, BufferDirection::Both);
        }
        assert_eq!(pool.copies, 0);
    }

    /// Asserts that `offset_of` returns `None` for a range that extends beyond the region.
    #[test]
    fn a_buffer_at_the_end_of_the_region_is_shared_as_far_as_that_goes() {
        let pool = pool(2);
        let start = pool.pages.region().start();
        let buffer = |offset: usize, length| {
            let start = NonNull::new(start.as_ptr().wrapping_add(offset)).expect("an address");
            pool.offset_of(NonNull::slice_from_raw_parts(start, length))
        };
        let all = 2 * PAGE_SIZE;
        assert_eq!(buffer(all - 8, 8), Some(all - 8));
        assert_eq!(buffer(all - 8, 9), None);
        assert_eq!(buffer(all, 8), None);
    }

    /// Unshares a wrong buffer, as a driver does after a device has named another request.
    #[test]
    #[should_panic(
        expected = "a buffer of 128 bytes is not the one of which a copy was made at 4032"
    )]
    fn a_buffer_that_is_larger_than_its_copy_is_refused() {
        let mut pool = pool(2);
        let mut buffer = vec![0; PAGE_SIZE];
        let small = NonNull::from(&mut buffer[..64]);
        // SAFETY: the buffer lives longer than the pool, and nothing else uses the buffer. The call
        // panics, because the buffer is not the shared buffer.
        unsafe {
            let last = (0..GRANULES)
                .map(|_| pool.share(small, BufferDirection::Both))
                .last();
            let last = last.expect("there are some");
            let large = NonNull::from(&mut buffer[..128]);
            pool.unshare(last, large, BufferDirection::DeviceToDriver);
        }
    }

    #[test]
    #[should_panic(expected = "no room for 4097 bytes among the copies")]
    fn a_buffer_larger_than_all_copies_is_refused() {
        let mut buffer = vec![0; PAGE_SIZE + 1];
        let buffer = NonNull::from(&mut buffer[..]);
        // SAFETY: the buffer is readable.
        unsafe { pool(2).share(buffer, BufferDirection::Both) };
    }

    #[test]
    #[should_panic(expected = "give it two whole pages or more")]
    fn a_region_of_one_page_is_refused() {
        pool(1);
    }
}
