//! Drives a disk with asynchronous requests: a request starts now and is completed later.

use core::fmt;
use core::hint::spin_loop;
use sel4_microkit::DmaRegion;
use virtio_drivers::PAGE_SIZE;
use virtio_drivers::transport::mmio::MmioTransport;
use virtio_drivers::transport::{DeviceStatus, DeviceType, Transport};

use crate::pages::Pages;
use crate::queue::{self, Completed, Lie, Queue, RequestKind, UnderWay};
use crate::transport::VirtioTransport;

/// The size of a block in bytes.
pub const BLOCK_BYTES: usize = 512;

/// The largest number of blocks in a request.
pub const MAX_BLOCKS: usize = PAGE_SIZE / BLOCK_BYTES;

/// The largest number of requests that can be under way at the same time.
pub const REQUESTS: usize = 4;

/// The queue of requests (*Virtual I/O Device (VIRTIO) Version 1.2*, 5.2.2).
const QUEUE: u16 = 0;

/// The features of a device that the driver uses (*VIRTIO*, 5.2.3 and 6).
mod feature {
    pub(super) const READ_ONLY: u64 = 1 << 5;
    pub(super) const FLUSH: u64 = 1 << 9;
    pub(super) const VERSION_1: u64 = 1 << 32;
}

/// A virtio block device, and the memory for its requests.
///
/// Only [`flush`](Self::flush) waits for the device. The crate page has an example.
///
/// A device is [broken](Self::is_broken) after an impossible report. A report is impossible if the
/// device completes a request that it does not have, completes too many requests, writes too many
/// bytes, or returns an undefined status.
pub struct BlockDevice<T: Transport = MmioTransport<'static>> {
    transport: T,
    queue: Queue,
    /// The data of the request that starts or completes now. No device writes to this page.
    data: &'static mut [u8; PAGE_SIZE],
    blocks: u64,
    features: u64,
    is_broken: bool,
}

/// A request that is under way, or has just been completed.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub struct Request(usize);

impl Request {
    /// Returns the number of the request, below [`REQUESTS`]. Requests under way have unique
    /// numbers.
    pub const fn index(self) -> usize {
        self.0
    }
}

/// The error of a request that was not started or has failed.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum Error {
    /// The request has no blocks, or more than [`MAX_BLOCKS`].
    Count,
    /// Some of the blocks are beyond the end of the disk.
    Outside,
    /// [`REQUESTS`] requests are already under way. A flush fails with this error if any request is
    /// under way.
    Busy,
    /// The device is read-only.
    ReadOnly,
    /// The device has failed to execute the request.
    Device,
    /// The device has made an impossible report. The driver no longer uses the device.
    Broken,
    /// The region for DMA has fewer than seven whole, aligned pages.
    Memory,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count => write!(f, "a request must have 1 to {MAX_BLOCKS} blocks"),
            Self::Outside => f.write_str("some of these blocks are not on the disk"),
            Self::Busy => f.write_str("requests are under way: wait for one to be completed"),
            Self::ReadOnly => f.write_str("the disk is read-only"),
            Self::Device => f.write_str("the device has failed to carry out the request"),
            Self::Broken => f.write_str(
                "the device has reported something impossible: restart it and its driver",
            ),
            Self::Memory => {
                f.write_str("the region for DMA has fewer than seven whole pages: make it larger")
            }
        }
    }
}

impl core::error::Error for Error {}

// The pages of the queue, and one page for `data`. No device gets the address of `data`.
const _: () = assert!(queue::PAGES + 1 == 7, "the documentation has the figure");

impl BlockDevice {
    /// Starts the device, with `region` as the memory for its requests.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Memory`] if the region is too small. Returns [`Error::Device`] in these
    /// cases:
    ///
    /// * The device is not a block device.
    /// * The queue of the device is too short.
    /// * The device does not accept the features.
    /// * The size of the disk changes while the driver reads the size.
    pub fn new(transport: VirtioTransport, region: DmaRegion) -> Result<Self, Error> {
        Self::with_transport(transport.for_block_device(), region)
    }
}

impl<T: Transport> BlockDevice<T> {
    pub(crate) fn with_transport(transport: T, region: DmaRegion) -> Result<Self, Error> {
        let mut pages = Pages::new(region).ok_or(Error::Memory)?;
        let (physical_address, memory) = pages.give(queue::PAGES).ok_or(Error::Memory)?;
        let (_, data) = pages.give(1).ok_or(Error::Memory)?;
        // SAFETY: 1. The memory has `PAGES` pages, zeroed and aligned. 2. `Pages` allocates each
        //    page only once, and only the queue uses these pages (invariant 2).
        let queue = unsafe { Queue::new(memory, physical_address) };
        // SAFETY: as above. No device gets the address of this page, so only this driver accesses
        // the page (invariant 4).
        let data = unsafe { data.cast().as_mut() };
        Self::start(transport, queue, data)
    }

    /// Initialises the device (*VIRTIO*, 3.1.1, and 3.1.2 for legacy devices).
    fn start(
        mut transport: T,
        queue: Queue,
        data: &'static mut [u8; PAGE_SIZE],
    ) -> Result<Self, Error> {
        if transport.device_type() != DeviceType::Block {
            return Err(Error::Device);
        }
        let is_legacy = transport.requires_legacy_layout();
        let mut status = DeviceStatus::empty();
        transport.set_status(status);
        status |= DeviceStatus::ACKNOWLEDGE | DeviceStatus::DRIVER;
        transport.set_status(status);
        let features = transport.read_device_features()
            & (feature::READ_ONLY | feature::FLUSH | feature::VERSION_1);
        transport.write_driver_features(features);
        status |= DeviceStatus::FEATURES_OK;
        transport.set_status(status);
        let agrees = features & feature::VERSION_1 != 0
            && transport.get_status().contains(DeviceStatus::FEATURES_OK);
        if !is_legacy && !agrees {
            return Err(Error::Device);
        }
        transport.set_guest_page_size(PAGE_SIZE as u32);
        let blocks = read_blocks(&transport)?;
        if transport.queue_used(QUEUE) || transport.max_queue_size(QUEUE) < u32::from(queue::SIZE) {
            return Err(Error::Device);
        }
        let [descriptors, available, used] = queue.addresses();
        let size = u32::from(queue::SIZE);
        transport.queue_set(QUEUE, size, descriptors, available, used);
        transport.set_status(status | DeviceStatus::DRIVER_OK);
        Ok(Self {
            transport,
            queue,
            data,
            blocks,
            features,
            is_broken: false,
        })
    }

    /// Returns the number of blocks of the disk, which the device reported during `new`.
    pub fn blocks(&self) -> u64 {
        self.blocks
    }

    /// Starts a read of `count` blocks, from the block number `block`.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns an error if the request was not started: any [`Error`] except [`Error::Memory`].
    pub fn begin_read(&mut self, block: u64, count: usize) -> Result<Request, Error> {
        let data_bytes = self.check(block, count)?;
        let index = self.queue.free().ok_or(Error::Busy)?;
        Ok(self.offer(index, block, RequestKind::Read, data_bytes))
    }

    /// Starts a write of `count` blocks, from the block number `block`. `fill` writes the data into
    /// a slice of `count * BLOCK_BYTES` bytes.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns an error if the request was not started: any [`Error`] except [`Error::Memory`].
    pub fn begin_write(
        &mut self,
        block: u64,
        count: usize,
        fill: impl FnOnce(&mut [u8]),
    ) -> Result<Request, Error> {
        let data_bytes = self.check(block, count)?;
        if self.features & feature::READ_ONLY != 0 {
            return Err(Error::ReadOnly);
        }
        let index = self.queue.free().ok_or(Error::Busy)?;
        let data = &mut self.data[..data_bytes];
        fill(data);
        self.queue.fill(index, data);
        Ok(self.offer(index, block, RequestKind::Write, data_bytes))
    }

    /// Completes one finished request, if the device has finished any. Calls `take` with the result
    /// and the read bytes.
    ///
    /// **Blocking:** never.
    pub fn complete<R>(
        &mut self,
        take: impl FnOnce(Request, Result<&[u8], Error>) -> R,
    ) -> Option<R> {
        let Completed {
            index,
            request,
            is_done,
        } = self.take()?;
        let data_bytes = match request.kind {
            RequestKind::Read if is_done => request.data_bytes,
            RequestKind::Read | RequestKind::Write | RequestKind::Flush => 0,
        };
        let data = &mut self.data[..data_bytes];
        self.queue.copy_out(index, data);
        let result = if is_done {
            Ok(&*data)
        } else {
            Err(Error::Device)
        };
        Some(take(Request(index), result))
    }

    /// Returns whether the device has made an impossible report. In that case, requests under way
    /// are never completed.
    pub fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Makes all completed writes permanent.
    ///
    /// **Blocking:** until the device has finished. The method polls and does not yield the
    /// processor.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Busy`] if any request is under way, and [`Error::Device`] or
    /// [`Error::Broken`] if the device fails.
    pub fn flush(&mut self) -> Result<(), Error> {
        if self.is_broken {
            return Err(Error::Broken);
        }
        if !self.queue.is_idle() {
            return Err(Error::Busy);
        }
        if self.features & feature::FLUSH == 0 {
            return Ok(());
        }
        self.offer(0, 0, RequestKind::Flush, 0);
        loop {
            match self.take() {
                Some(completed) if completed.is_done => return Ok(()),
                Some(_) => return Err(Error::Device),
                None if self.is_broken => return Err(Error::Broken),
                None => spin_loop(),
            }
        }
    }

    /// Acknowledges the interrupt at the device. Call this before [`complete`](Self::complete): a
    /// request that is completed between the two calls raises the interrupt again.
    pub fn acknowledge_interrupt(&mut self) {
        self.transport.ack_interrupt();
    }

    /// Takes one finished request, if the device has finished any. Returns `None` if the device is
    /// broken, or makes an impossible report in this call.
    fn take(&mut self) -> Option<Completed> {
        if self.is_broken {
            return None;
        }
        match self.queue.take() {
            Ok(completed) => completed,
            Err(Lie) => {
                self.is_broken = true;
                None
            }
        }
    }

    fn offer(
        &mut self,
        index: usize,
        sector: u64,
        kind: RequestKind,
        data_bytes: usize,
    ) -> Request {
        let request = UnderWay { kind, data_bytes };
        if self.queue.offer(index, sector, request) {
            self.transport.notify(QUEUE);
        }
        Request(index)
    }

    /// Returns the number of bytes of `count` blocks, if these blocks are on the disk.
    fn check(&self, block: u64, count: usize) -> Result<usize, Error> {
        if self.is_broken {
            return Err(Error::Broken);
        }
        if !(1..=MAX_BLOCKS).contains(&count) {
            return Err(Error::Count);
        }
        let end = block.checked_add(count as u64).ok_or(Error::Outside)?;
        if end > self.blocks {
            return Err(Error::Outside);
        }
        Ok(count * BLOCK_BYTES)
    }
}

impl<T: Transport> fmt::Debug for BlockDevice<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockDevice")
            .field("blocks", &self.blocks)
            .finish_non_exhaustive()
    }
}

/// Reads the size of the disk in two halves. The halves belong together if the device's generation
/// has not changed between the reads (*VIRTIO*, 2.5.1). Returns an error if every attempt fails.
fn read_blocks(transport: &impl Transport) -> Result<u64, Error> {
    const TRIES: usize = 8;
    let half = |offset| {
        let half = transport.read_config_space::<u32>(offset);
        half.map(u64::from).map_err(|_| Error::Device)
    };
    for _ in 0..TRIES {
        let before = transport.read_config_generation();
        let blocks = half(0)? | half(size_of::<u32>())? << u32::BITS;
        if transport.read_config_generation() == before {
            return Ok(blocks);
        }
    }
    Err(Error::Device)
}

#[cfg(test)]
impl<T: Transport> BlockDevice<T> {
    /// Returns the queue that the driver shares with the device.
    pub(crate) fn queue(&self) -> &Queue {
        &self.queue
    }
}
