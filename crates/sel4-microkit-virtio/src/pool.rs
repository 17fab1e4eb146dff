//! The memory for DMA, and what of it is in use.
//!
//! Whole pages are given from the start and never taken back. The last page is for copies of
//! buffers that lie elsewhere, in granules of 64 bytes.

use core::ptr::NonNull;
use sel4_microkit::DmaRegion;
use virtio_drivers::{BufferDirection, PAGE_SIZE};

const GRANULE_BYTES: usize = 64;

/// As many as a page has, and as bits of [`Pool::copies`].
const GRANULES: usize = PAGE_SIZE / GRANULE_BYTES;

/// A region, and what of it is in use.
///
/// Invariant: no page is given twice; a bit of `copies` is set for each granule that a device may
/// use.
#[derive(Debug)]
pub(crate) struct Pool {
    region: DmaRegion,
    pages: usize,
    pages_given: usize,
    copies: u64,
}

impl Pool {
    /// Uses the region's pages.
    ///
    /// **Panics:** if it has not two of them, or is not aligned to them.
    pub(crate) fn new(region: DmaRegion) -> Self {
        let pages = region.size_bytes() / PAGE_SIZE;
        let is_aligned = region.start().addr().get().is_multiple_of(PAGE_SIZE);
        assert!(
            pages >= 2 && is_aligned,
            "the region for DMA has {} bytes at {:p}: give it two whole pages or more",
            region.size_bytes(),
            region.start()
        );
        Self {
            region,
            pages,
            pages_given: 0,
            copies: 0,
        }
    }

    /// Gives pages of zeros, with the physical address of the first.
    pub(crate) fn give_pages(&mut self, count: usize) -> Option<(u64, NonNull<u8>)> {
        let left = self.pages - 1 - self.pages_given;
        if count > left {
            return None;
        }
        let offset = self.pages_given * PAGE_SIZE;
        self.pages_given += count;
        // SAFETY: 1. The pages are in the region, as seen above. 2. Nobody uses them yet, by the
        // invariant, and the region is the pool's own.
        let start = unsafe {
            let start = self.region.start().add(offset);
            start.write_bytes(0, count * PAGE_SIZE);
            start
        };
        Some((self.region.physical_address() + offset as u64, start))
    }

    /// Lets a device use a buffer, or a copy of it, and returns the physical address of that.
    ///
    /// **Panics:** if there is no room for a copy.
    ///
    /// # Safety
    ///
    /// The buffer can be read.
    pub(crate) unsafe fn share(
        &mut self,
        buffer: NonNull<[u8]>,
        direction: BufferDirection,
    ) -> u64 {
        if let Some(offset) = self.offset_of(buffer) {
            return self.region.physical_address() + offset as u64;
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
        let offset = self.copies_offset() + first * GRANULE_BYTES;
        if direction != BufferDirection::DeviceToDriver {
            // SAFETY: 1. The granules are in the last page, nobody uses them, by the invariant, and
            // they are not less than the buffer. 2. The caller promises that it can be read; it is
            // not in the region.
            unsafe {
                let copy = self.region.start().add(offset);
                copy.copy_from_nonoverlapping(buffer.cast(), buffer.len());
            }
        }
        self.region.physical_address() + offset as u64
    }

    /// Takes back what [`share`](Self::share) has let a device use, and copies what the device has
    /// written.
    ///
    /// # Safety
    ///
    /// 1. The buffer can be written. 2. `physical_address` is what `share` has returned for it, and
    ///    the device uses it no more.
    pub(crate) unsafe fn unshare(
        &mut self,
        physical_address: u64,
        buffer: NonNull<[u8]>,
        direction: BufferDirection,
    ) {
        if self.offset_of(buffer).is_some() {
            return;
        }
        let offset = (physical_address - self.region.physical_address()) as usize;
        let first = (offset - self.copies_offset()) / GRANULE_BYTES;
        if direction != BufferDirection::DriverToDevice {
            // SAFETY: 1. The caller promises that `share` has given these granules for the buffer,
            // which can be written, and that the device is done with them. 2. The buffer is not in
            // the region.
            unsafe {
                let copy = self.region.start().add(offset);
                copy.copy_to_nonoverlapping(buffer.cast(), buffer.len());
            }
        }
        self.copies &= !mask(first, buffer.len().div_ceil(GRANULE_BYTES));
    }

    /// Where in the region a buffer begins, if it is in there.
    fn offset_of(&self, buffer: NonNull<[u8]>) -> Option<usize> {
        let address = buffer.addr().get();
        let offset = address.checked_sub(self.region.start().addr().get())?;
        let end = offset.checked_add(buffer.len())?;
        (end <= self.region.size_bytes()).then_some(offset)
    }

    fn copies_offset(&self) -> usize {
        (self.pages - 1) * PAGE_SIZE
    }
}

/// The bits of granules.
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
    use std::alloc::{Layout, alloc_zeroed};
    use std::vec;
    use std::vec::Vec;

    use super::*;

    const PHYSICAL: u64 = 0x8000_0000;

    fn pool(pages: usize) -> Pool {
        let layout = Layout::from_size_align(pages * PAGE_SIZE, PAGE_SIZE).expect("a layout");
        // SAFETY: 1. The layout is not empty. 2. The memory is never freed, and nothing else uses
        // it. No device does either, whatever the address.
        let region = unsafe {
            let start = NonNull::new(alloc_zeroed(layout)).expect("memory");
            DmaRegion::new(start, layout.size(), PHYSICAL)
        };
        Pool::new(region)
    }

    /// What a device has at an address.
    fn at(pool: &Pool, address: u64, length: usize) -> NonNull<[u8]> {
        let offset = (address - PHYSICAL) as usize;
        assert!(offset + length <= pool.region.size_bytes());
        // SAFETY: it is in the region.
        let start = unsafe { pool.region.start().add(offset) };
        NonNull::slice_from_raw_parts(start, length)
    }

    /// What a device reads.
    fn read(pool: &Pool, address: u64, length: usize) -> Vec<u8> {
        // SAFETY: it is in the region, where nobody writes meanwhile.
        unsafe { at(pool, address, length).as_ref() }.to_vec()
    }

    /// A device writes the same byte everywhere.
    fn fill(pool: &Pool, address: u64, length: usize, byte: u8) {
        // SAFETY: it is in the region, which nobody uses meanwhile.
        unsafe { at(pool, address, length).as_mut() }.fill(byte);
    }

    #[test]
    fn pages_are_given_once_and_zeroed_until_there_are_no_more() {
        let mut pool = pool(4);
        fill(&pool, PHYSICAL, 3 * PAGE_SIZE, 7);
        let (first, start) = pool.give_pages(2).expect("there are three");
        assert_eq!((first, start), (PHYSICAL, pool.region.start()));
        assert_eq!(read(&pool, first, 2 * PAGE_SIZE), [0; 2 * PAGE_SIZE]);
        assert_eq!(pool.give_pages(2), None);
        let (second, _) = pool.give_pages(1).expect("there is one");
        assert_eq!(second, PHYSICAL + 2 * PAGE_SIZE as u64);
        assert_eq!(pool.give_pages(1), None);
    }

    #[test]
    fn a_buffer_elsewhere_is_copied_there_and_back() {
        use BufferDirection::{DeviceToDriver, DriverToDevice};
        let mut pool = pool(2);
        let mut out: Vec<u8> = (0..100).collect();
        let mut back = [1; 20];
        let (out, back) = (NonNull::from(&mut out[..]), NonNull::from(&mut back[..]));
        // SAFETY: both live longer than the pool, and nobody else uses them until the end.
        unsafe {
            let (there, here) = (
                pool.share(out, DriverToDevice),
                pool.share(back, DeviceToDriver),
            );
            assert!(there.abs_diff(here) >= 100 && there >= PHYSICAL + PAGE_SIZE as u64);
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
        // SAFETY: the buffer lives longer than the pool, and nobody else uses it.
        unsafe {
            for _ in 0..3 {
                let address = pool.share(whole, BufferDirection::Both);
                assert_eq!(
                    (address, pool.copies),
                    (PHYSICAL + PAGE_SIZE as u64, u64::MAX)
                );
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
        // SAFETY: the pool lets it be used.
        unsafe {
            assert_eq!(pool.share(buffer, BufferDirection::Both), address);
            pool.unshare(address, buffer, BufferDirection::Both);
        }
        assert_eq!(pool.copies, 0);
    }

    #[test]
    #[should_panic(expected = "no room for 4097 bytes among the copies")]
    fn a_buffer_larger_than_all_copies_is_refused() {
        let mut buffer = vec![0; PAGE_SIZE + 1];
        let buffer = NonNull::from(&mut buffer[..]);
        // SAFETY: it can be read.
        unsafe { pool(2).share(buffer, BufferDirection::Both) };
    }

    #[test]
    #[should_panic(expected = "give it two whole pages or more")]
    fn a_region_of_one_page_is_refused() {
        pool(1);
    }
}
