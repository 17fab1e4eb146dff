//! A disk, whose requests are begun and later completed.

use core::fmt;
use core::ptr::NonNull;
use sel4_microkit::DmaRegion;
use virtio_drivers::PAGE_SIZE;
use virtio_drivers::device::blk::{BlkReq, BlkResp, SECTOR_SIZE, VirtIOBlk};
use virtio_drivers::transport::mmio::MmioTransport;

use crate::hal::{Hal, give_memory, give_pages};

/// Bytes of a block.
pub const BLOCK_BYTES: usize = SECTOR_SIZE;

/// Blocks that a request can be about.
pub const MAX_BLOCKS: usize = PAGE_SIZE / BLOCK_BYTES;

/// Requests that can be under way. Each needs three of the sixteen descriptors that
/// `virtio-drivers` gives the queue.
pub const REQUESTS: usize = 4;

/// A virtio block device, and the memory for its requests.
///
/// Nothing here waits, but for [`flush`](Self::flush).
pub struct BlockDevice {
    device: VirtIOBlk<Hal, MmioTransport<'static>>,
    buffers: [Buffer; REQUESTS],
    is_broken: bool,
}

/// A request that is under way, or has just been completed.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub struct Request(usize);

impl Request {
    /// Its number, below [`REQUESTS`], which no other request under way has.
    pub const fn index(self) -> usize {
        self.0
    }
}

/// Why a request was not begun, or has failed.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum Error {
    /// No blocks, or more than [`MAX_BLOCKS`].
    Count,
    /// Some of the blocks are not on the disk.
    Outside,
    /// [`REQUESTS`] are under way; for a flush, any.
    Busy,
    /// The device can be read only.
    ReadOnly,
    /// The device has failed to do it.
    Device,
    /// The device has completed what it was not asked for, and is used no more.
    Broken,
    /// The region for DMA has not enough pages: eleven are needed.
    Memory,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count => write!(f, "a request is about 1 to {MAX_BLOCKS} blocks"),
            Self::Outside => f.write_str("not all of these blocks are on the disk"),
            Self::Busy => f.write_str("requests are under way: wait for one to be completed"),
            Self::ReadOnly => f.write_str("the disk can be read only"),
            Self::Device => f.write_str("the device has failed to do it"),
            Self::Broken => f.write_str("the device has completed what it was not asked for"),
            Self::Memory => f.write_str("the region for DMA has not eleven pages"),
        }
    }
}

impl core::error::Error for Error {}

/// What a request consists of, in memory for DMA.
///
/// Invariant: while `under_way`, the device may use `memory` and nobody else does; otherwise this
/// alone uses it.
struct Buffer {
    memory: NonNull<Memory>,
    under_way: Option<UnderWay>,
}

#[repr(C)]
struct Memory {
    data: [u8; PAGE_SIZE],
    request: BlkReq,
    response: BlkResp,
}

#[derive(Copy, Clone)]
struct UnderWay {
    token: u16,
    is_read: bool,
    data_bytes: usize,
}

impl BlockDevice {
    /// Starts the device, with memory for its requests.
    ///
    /// **Errors:** the region is too small, or the device is not one of blocks.
    /// **Panics:** if virtio drivers were given memory before, or the region has not two whole
    /// pages.
    pub fn new(transport: MmioTransport<'static>, region: DmaRegion) -> Result<Self, Error> {
        give_memory(region);
        let mut buffers = [const { None }; REQUESTS];
        for buffer in &mut buffers {
            *buffer = Some(Buffer::new().ok_or(Error::Memory)?);
        }
        let mut device = VirtIOBlk::new(transport).map_err(|error| match error {
            virtio_drivers::Error::DmaError => Error::Memory,
            _ => Error::Device,
        })?;
        device.enable_interrupts();
        Ok(Self {
            device,
            buffers: buffers.map(|buffer| buffer.expect("each was made")),
            is_broken: false,
        })
    }

    /// How many blocks the disk has.
    pub fn blocks(&self) -> u64 {
        self.device.capacity()
    }

    /// Begins to read `count` blocks from `block` on.
    ///
    /// **Blocks:** never. **Errors:** all but `Memory`.
    pub fn begin_read(&mut self, block: u64, count: usize) -> Result<Request, Error> {
        let (first, data_bytes) = self.check(block, count)?;
        let index = self.free()?;
        let buffer = &mut self.buffers[index];
        // SAFETY: the request is not under way, by `free`.
        let memory = unsafe { buffer.memory.as_mut() };
        let data = &mut memory.data[..data_bytes];
        // SAFETY: until it is completed, only the device uses the memory (invariant of `Buffer`);
        // it is never given back.
        let begun = unsafe {
            self.device
                .read_blocks_nb(first, &mut memory.request, data, &mut memory.response)
        };
        buffer.under_way = Some(UnderWay {
            token: begun.map_err(|_| Error::Busy)?,
            is_read: true,
            data_bytes,
        });
        Ok(Request(index))
    }

    /// Begins to write `count` blocks from `block` on, with what `fill` puts into the slice of
    /// `count * BLOCK_BYTES` that it is given.
    ///
    /// **Blocks:** never. **Errors:** all but `Memory`.
    pub fn begin_write(
        &mut self,
        block: u64,
        count: usize,
        fill: impl FnOnce(&mut [u8]),
    ) -> Result<Request, Error> {
        let (first, data_bytes) = self.check(block, count)?;
        if self.device.readonly() {
            return Err(Error::ReadOnly);
        }
        let index = self.free()?;
        let buffer = &mut self.buffers[index];
        // SAFETY: the request is not under way, by `free`.
        let memory = unsafe { buffer.memory.as_mut() };
        let data = &mut memory.data[..data_bytes];
        fill(data);
        // SAFETY: as in `begin_read`.
        let begun = unsafe {
            self.device
                .write_blocks_nb(first, &mut memory.request, data, &mut memory.response)
        };
        buffer.under_way = Some(UnderWay {
            token: begun.map_err(|_| Error::Busy)?,
            is_read: false,
            data_bytes,
        });
        Ok(Request(index))
    }

    /// Completes a request that the device is done with, if there is one: gives `take` its result,
    /// with the bytes that were read.
    ///
    /// **Blocks:** never.
    pub fn complete<R>(
        &mut self,
        take: impl FnOnce(Request, Result<&[u8], Error>) -> R,
    ) -> Option<R> {
        if self.is_broken {
            return None;
        }
        let token = self.device.peek_used()?;
        let is_it = |buffer: &Buffer| buffer.under_way.is_some_and(|it| it.token == token);
        let Some(index) = self.buffers.iter().position(is_it) else {
            self.is_broken = true;
            return None;
        };
        let buffer = &mut self.buffers[index];
        let under_way = buffer.under_way?;
        // SAFETY: the device is done with the request, as it says.
        let memory = unsafe { buffer.memory.as_mut() };
        let data = &mut memory.data[..under_way.data_bytes];
        let (request, response) = (&memory.request, &mut memory.response);
        // SAFETY: these are the buffers with which the request of this token was begun.
        let completed = unsafe {
            if under_way.is_read {
                self.device
                    .complete_read_blocks(token, request, data, response)
            } else {
                self.device
                    .complete_write_blocks(token, request, data, response)
            }
        };
        buffer.under_way = None;
        let data: &[u8] = if under_way.is_read { data } else { &[] };
        Some(take(
            Request(index),
            completed.map(|()| data).map_err(|_| Error::Device),
        ))
    }

    /// Whether the device has completed what it was not asked for. Nothing that is under way will be
    /// completed any more.
    pub fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Has the device put everything that was written to where it stays.
    ///
    /// **Blocks:** until the device has done it, without giving up the processor.
    /// **Errors:** `Busy` if any request is under way, `Device`, `Broken`.
    pub fn flush(&mut self) -> Result<(), Error> {
        if self.is_broken {
            return Err(Error::Broken);
        }
        if self.buffers.iter().any(|buffer| buffer.under_way.is_some()) {
            return Err(Error::Busy);
        }
        self.device.flush().map_err(|_| Error::Device)
    }

    /// Tells the device that its interrupt has been seen. To be done before
    /// [`complete`](Self::complete), so that none is missed.
    pub fn acknowledge_interrupt(&mut self) {
        self.device.ack_interrupt();
    }

    /// The first block as `virtio-drivers` wants it, and the bytes of all.
    fn check(&self, block: u64, count: usize) -> Result<(usize, usize), Error> {
        if self.is_broken {
            return Err(Error::Broken);
        }
        if !(1..=MAX_BLOCKS).contains(&count) {
            return Err(Error::Count);
        }
        let end = block.checked_add(count as u64).ok_or(Error::Outside)?;
        let first = usize::try_from(block).map_err(|_| Error::Outside)?;
        if end > self.blocks() {
            return Err(Error::Outside);
        }
        Ok((first, count * BLOCK_BYTES))
    }

    fn free(&self) -> Result<usize, Error> {
        let is_free = |buffer: &Buffer| buffer.under_way.is_none();
        self.buffers.iter().position(is_free).ok_or(Error::Busy)
    }
}

impl fmt::Debug for BlockDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockDevice")
            .field("blocks", &self.blocks())
            .finish_non_exhaustive()
    }
}

impl Buffer {
    fn new() -> Option<Self> {
        let (_, pages) = give_pages(size_of::<Memory>().div_ceil(PAGE_SIZE))?;
        let memory = pages.cast::<Memory>();
        // SAFETY: 1. The pages are this buffer's alone, aligned, and enough. 2. They are zeros, as
        // which `data` is sound; the others are written before they are used.
        unsafe {
            (&raw mut (*memory.as_ptr()).request).write(BlkReq::default());
            (&raw mut (*memory.as_ptr()).response).write(BlkResp::default());
        }
        Some(Self {
            memory,
            under_way: None,
        })
    }
}
