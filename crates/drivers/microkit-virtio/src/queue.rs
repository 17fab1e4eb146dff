//! The queue of requests, in memory that a device writes.
//!
//! The device is not trusted. Every word that the device may write is an atomic. For a completion,
//! the driver reads each of these words once, and compares the value with its private records. So
//! the driver never sees two values of one word, even if the device writes at the same time.
//!
//! The driver does not use the queue of `virtio-drivers`, because that queue trusts the device. The
//! queue of `virtio-drivers` reads the number of a completed request twice, drops the upper half of
//! the number, and does not check how many requests the device reports as completed.
//!
//! A request always has the same three descriptors, and the number of the first descriptor
//! identifies the request. So no list of free descriptors is needed.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering, fence};

use virtio_drivers::PAGE_SIZE;

use crate::block::{BLOCK_BYTES, REQUESTS};

/// The number of descriptors of the queue.
pub(crate) const SIZE: u16 = 16;

/// The descriptors of a request: the header, the data, the status.
const DESCRIPTORS_PER_REQUEST: usize = 3;

const _: () = assert!(REQUESTS * DESCRIPTORS_PER_REQUEST <= SIZE as usize);

const WORDS_PER_PAGE: usize = PAGE_SIZE / size_of::<u64>();

/// The memory that the device uses. A legacy device accepts only this layout (*Virtual I/O Device
/// (VIRTIO) Version 1.2*, 2.7.2). Other devices also accept this layout.
#[repr(C)]
pub(crate) struct Memory {
    descriptors: [Descriptor; SIZE as usize],
    available: Available,
    headers: [Header; REQUESTS],
    statuses: [AtomicU8; REQUESTS],
    used: Used,
    data: [[AtomicU64; WORDS_PER_PAGE]; REQUESTS],
}

/// The number of pages of a [`Memory`].
pub(crate) const PAGES: usize = size_of::<Memory>() / PAGE_SIZE;

const DESCRIPTORS: usize = core::mem::offset_of!(Memory, descriptors);
const AVAILABLE: usize = core::mem::offset_of!(Memory, available);
const USED: usize = core::mem::offset_of!(Memory, used);

const _: () = assert!(
    DESCRIPTORS == 0
        && AVAILABLE == size_of::<Descriptor>() * SIZE as usize
        && USED == PAGE_SIZE
        && size_of::<Memory>().is_multiple_of(PAGE_SIZE)
);

#[repr(C)]
struct Descriptor {
    address: AtomicU64,
    bytes: AtomicU32,
    flags: AtomicU16,
    next: AtomicU16,
}

mod descriptor {
    /// Another descriptor follows.
    pub(super) const NEXT: u16 = 1;
    /// The device writes to the memory.
    pub(super) const WRITE: u16 = 2;
}

#[repr(C)]
struct Available {
    flags: AtomicU16,
    index: AtomicU16,
    ring: [AtomicU16; SIZE as usize],
}

/// The header of a request (*VIRTIO*, 5.2.6).
#[repr(C)]
struct Header {
    kind: AtomicU32,
    reserved: AtomicU32,
    sector: AtomicU64,
}

/// The requests that the device has completed.
#[repr(C, align(4096))]
pub(crate) struct Used {
    pub(crate) flags: AtomicU16,
    pub(crate) index: AtomicU16,
    pub(crate) ring: [UsedElement; SIZE as usize],
}

#[repr(C)]
pub(crate) struct UsedElement {
    pub(crate) id: AtomicU32,
    pub(crate) bytes: AtomicU32,
}

/// A flag in [`Used::flags`]: the device needs no notification.
const NO_NOTIFY: u16 = 1;

/// The kind of a request.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum RequestKind {
    Read = 0,
    Write = 1,
    Flush = 4,
}

/// A request that the device is executing.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) struct UnderWay {
    pub(crate) kind: RequestKind,
    pub(crate) data_bytes: usize,
}

impl UnderWay {
    /// Returns the number of bytes that the device may write.
    const fn writable_bytes(self) -> usize {
        match self.kind {
            RequestKind::Read => self.data_bytes + size_of::<AtomicU8>(),
            RequestKind::Write | RequestKind::Flush => size_of::<AtomicU8>(),
        }
    }
}

/// The status of a request (*VIRTIO*, 5.2.6).
mod status {
    pub(super) const OK: u8 = 0;
    pub(super) const IO_ERROR: u8 = 1;
    pub(super) const UNSUPPORTED: u8 = 2;
    /// A value that no device writes.
    pub(super) const NOT_WRITTEN: u8 = 0xff;
}

/// A request that the device has finished.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) struct Completed {
    /// The number of the request.
    pub(crate) index: usize,
    pub(crate) request: UnderWay,
    /// Whether the device has executed the request successfully.
    pub(crate) is_done: bool,
}

/// The error for an impossible report of the device.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) struct Lie;

/// The queue, and the record of the requests that are under way.
pub(crate) struct Queue {
    memory: &'static Memory,
    physical_address: u64,
    under_way: [Option<UnderWay>; REQUESTS],
    /// The total numbers of offered requests and of taken requests.
    offered: u16,
    taken: u16,
    /// The total number of completed requests in the device's last report.
    seen: u16,
}

impl Queue {
    /// Creates a queue in the pages at `physical_address`.
    ///
    /// # Safety
    ///
    /// 1. There must be [`PAGES`] pages, zeroed and aligned. 2. From now on, only this queue and a
    ///    device may use the pages.
    pub(crate) unsafe fn new(pages: NonNull<u8>, physical_address: u64) -> Self {
        debug_assert!(pages.cast::<Memory>().is_aligned());
        Self {
            // SAFETY: 1. By the caller's first promise, the pages are large enough, aligned and
            //    zeroed. Zeros are a valid `Memory`, because a `Memory` consists of atomics.
            // 2. By the caller's second promise, only this queue and a device use the pages. A
            //    device writes only into atomics (invariant 5).
            memory: unsafe { pages.cast::<Memory>().as_ref() },
            physical_address,
            under_way: [None; REQUESTS],
            offered: 0,
            taken: 0,
            seen: 0,
        }
    }

    /// Returns the physical addresses of the descriptors, the available ring and the used ring.
    pub(crate) fn addresses(&self) -> [u64; 3] {
        [DESCRIPTORS, AVAILABLE, USED].map(|offset| self.physical_address + offset as u64)
    }

    /// Returns the number of a request that is not under way, if there is one.
    pub(crate) fn free(&self) -> Option<usize> {
        self.under_way.iter().position(Option::is_none)
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.under_way.iter().all(Option::is_none)
    }

    /// Copies data into the buffer of a request. The device must not have the request.
    pub(crate) fn fill(&self, index: usize, from: &[u8]) {
        debug_assert!(self.under_way[index].is_none());
        for (word, bytes) in self.memory.data[index].iter().zip(from.chunks(8)) {
            let mut value = [0; 8];
            value[..bytes.len()].copy_from_slice(bytes);
            word.store(u64::from_ne_bytes(value), Ordering::Relaxed);
        }
    }

    /// Copies data out of the buffer of a request. If the device still writes to the buffer, the
    /// result may be any bytes.
    pub(crate) fn copy_out(&self, index: usize, to: &mut [u8]) {
        for (word, bytes) in self.memory.data[index].iter().zip(to.chunks_mut(8)) {
            let value = word.load(Ordering::Relaxed).to_ne_bytes();
            bytes.copy_from_slice(&value[..bytes.len()]);
        }
    }

    /// Offers a free request to the device. Returns whether the driver must notify the device.
    #[must_use]
    pub(crate) fn offer(&mut self, index: usize, sector: u64, request: UnderWay) -> bool {
        debug_assert!(self.under_way[index].is_none());
        let memory = self.memory;
        let header = &memory.headers[index];
        header.kind.store(request.kind as u32, Ordering::Relaxed);
        header.reserved.store(0, Ordering::Relaxed);
        header.sector.store(sector, Ordering::Relaxed);
        memory.statuses[index].store(status::NOT_WRITTEN, Ordering::Relaxed);

        let head = index * DESCRIPTORS_PER_REQUEST;
        let [data, status] = [head + 1, head + 2];
        let data_flags = match request.kind {
            RequestKind::Read => descriptor::WRITE,
            RequestKind::Write | RequestKind::Flush => 0,
        };
        let after_header = match request.kind {
            RequestKind::Flush => status,
            RequestKind::Read | RequestKind::Write => data,
        };
        self.describe(head, header, size_of::<Header>(), 0, Some(after_header));
        let data_bytes = request.data_bytes;
        let data_place = &memory.data[index];
        self.describe(data, data_place, data_bytes, data_flags, Some(status));
        let status_place = &memory.statuses[index];
        self.describe(status, status_place, 1, descriptor::WRITE, None);

        let place = usize::from(self.offered % SIZE);
        memory.available.ring[place].store(head as u16, Ordering::Relaxed);
        self.under_way[index] = Some(request);
        self.offered = self.offered.wrapping_add(1);
        // A device that reads the new index also reads the new request.
        fence(Ordering::SeqCst);
        memory
            .available
            .index
            .store(self.offered, Ordering::Release);
        // Either the device reads the new index, or the following load shows that the device waits
        // for a notification.
        fence(Ordering::SeqCst);
        memory.used.flags.load(Ordering::Relaxed) & NO_NOTIFY == 0
    }

    /// Takes one finished request, if the device has finished any.
    ///
    /// # Errors
    ///
    /// Returns [`Lie`] if the device makes an impossible report. The queue must not be used
    /// afterwards.
    pub(crate) fn take(&mut self) -> Result<Option<Completed>, Lie> {
        let memory = self.memory;
        // Acquire makes completed requests visible after a load of the new index.
        let index = once(memory.used.index.load(Ordering::Acquire));
        let completed = index.wrapping_sub(self.taken);
        let before = self.seen.wrapping_sub(self.taken);
        let outstanding = self.under_way.iter().flatten().count();
        // The device reports more completed requests than are under way, or fewer than before.
        if usize::from(completed) > outstanding || completed < before {
            return Err(Lie);
        }
        self.seen = index;
        if completed == 0 {
            return Ok(None);
        }
        let element = &memory.used.ring[usize::from(self.taken % SIZE)];
        let id = once(element.id.load(Ordering::Relaxed)) as usize;
        let bytes = once(element.bytes.load(Ordering::Relaxed)) as usize;
        if !id.is_multiple_of(DESCRIPTORS_PER_REQUEST) {
            return Err(Lie);
        }
        let index = id / DESCRIPTORS_PER_REQUEST;
        let under_way = self.under_way.get_mut(index).ok_or(Lie)?;
        let request = under_way.ok_or(Lie)?;
        if bytes > request.writable_bytes() {
            return Err(Lie);
        }
        let is_done = match once(memory.statuses[index].load(Ordering::Relaxed)) {
            // If the device has not written all bytes of a read, the read has failed.
            status::OK => request.kind != RequestKind::Read || bytes == request.writable_bytes(),
            status::IO_ERROR | status::UNSUPPORTED => false,
            _ => return Err(Lie),
        };
        *under_way = None;
        self.taken = self.taken.wrapping_add(1);
        Ok(Some(Completed {
            index,
            request,
            is_done,
        }))
    }

    /// Writes a descriptor for `place`. The device reads or writes the memory at `place`.
    fn describe<T>(&self, index: usize, place: &T, bytes: usize, flags: u16, next: Option<usize>) {
        let offset = core::ptr::from_ref(place).addr() - core::ptr::from_ref(self.memory).addr();
        let descriptor = &self.memory.descriptors[index];
        let flags = flags | next.map_or(0, |_| descriptor::NEXT);
        descriptor
            .address
            .store(self.physical_address + offset as u64, Ordering::Relaxed);
        descriptor.bytes.store(bytes as u32, Ordering::Relaxed);
        descriptor.flags.store(flags, Ordering::Relaxed);
        let next = next.unwrap_or(0) as u16;
        descriptor.next.store(next, Ordering::Relaxed);
    }
}

/// Marks the single read of a word that the device writes. In a test, the device writes between any
/// two of these reads.
fn once<T>(value: T) -> T {
    #[cfg(test)]
    crate::tests::device_writes();
    value
}

const _: () = assert!(BLOCK_BYTES.is_multiple_of(size_of::<u64>()));

#[cfg(test)]
impl Queue {
    /// Returns the used ring, for writes of a simulated device.
    pub(crate) fn used(&self) -> &'static Used {
        &self.memory.used
    }

    /// Returns the status byte of a request, for writes of a simulated device.
    pub(crate) fn status(&self, index: usize) -> &'static AtomicU8 {
        &self.memory.statuses[index]
    }

    /// Returns the data words of a request, for writes of a simulated device.
    pub(crate) fn data(&self, index: usize) -> &'static [AtomicU64] {
        &self.memory.data[index]
    }

    /// Returns the nth offered chain of descriptors. Each entry has the address, the number of
    /// bytes, and whether the device may write to the memory.
    pub(crate) fn offered(&self, nth: u16) -> std::vec::Vec<(u64, u32, bool)> {
        let load = |word: &AtomicU16| word.load(Ordering::Relaxed);
        let mut next = load(&self.memory.available.ring[usize::from(nth % SIZE)]);
        let mut chain = std::vec::Vec::new();
        loop {
            let descriptor = &self.memory.descriptors[usize::from(next)];
            let flags = load(&descriptor.flags);
            chain.push((
                descriptor.address.load(Ordering::Relaxed),
                descriptor.bytes.load(Ordering::Relaxed),
                flags & descriptor::WRITE != 0,
            ));
            if flags & descriptor::NEXT == 0 {
                return chain;
            }
            next = load(&descriptor.next);
        }
    }
}
