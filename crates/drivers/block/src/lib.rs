//! A disk for several protection domains (PDs).
//!
//! The crate has two parts:
//!
//! - a library for clients: [`Disk`];
//! - the PD `block`, which drives a virtio disk by its interrupt. Its binary is `block`, and a
//!   system file names the binary `block.elf`.
//!
//! A client shares a region of [`BUFFERS`] buffers with the driver. The client starts a request for
//! a buffer by a protected procedure call, and the driver answers at once. When requests are
//! completed, the driver notifies the client. The client then asks for the completed requests. So
//! all buffers can have a request at the same time. The driver copies between the buffers and the
//! memory that it shares with the disk. So a client that writes to a buffer during a request
//! changes only the data of that request.
//!
//! # Which disk
//!
//! The PD drives the virtio block device in the last of the 32 virtio slots of QEMU's `virt`
//! machine. QEMU puts the first device in the last slot. The slot is in the page at physical
//! address `0xa00_3000`, with interrupt 79. The device must be of virtio version 1 (not legacy).
//! These arguments of QEMU add the device. `cargo microkit` reads the arguments from a file
//! `NAME.qemu` beside `NAME.system`:
//!
//! ```text
//! disk: 64K
//! -global virtio-mmio.force-legacy=false
//! -device virtio-blk-device,drive=disk0
//! ```
//!
//! # The dependency
//!
//! In the `Cargo.toml` of the package with the system file:
//!
//! ```toml
//! [dependencies]
//! microkit-block = { path = "../sel4-microkit-rs/crates/drivers/block" }
//! ```
//!
//! `cargo microkit` then builds `block.elf`, the program of the PD, from this dependency.
//!
//! # The system file
//!
//! An example with one client:
//!
//! ```xml
//! <memory_region name="virtio" size="0x1000" phys_addr="0xa003000" />
//! <memory_region name="dma" size="0x10000" />
//! <memory_region name="buffers_1" size="0x2000" />
//!
//! <protection_domain name="block" priority="200" stack_size="0x4000">
//!     <program_image path="block.elf" />
//!     <map mr="virtio" vaddr="0x3000000" perms="rw" cached="false"
//!          setvar_vaddr="virtio" setvar_size="virtio_size" />
//!     <map mr="dma" vaddr="0x5000000" perms="rw"
//!          setvar_vaddr="dma" setvar_size="dma_size" />
//!     <setvar symbol="dma_paddr" region_paddr="dma" />
//!     <map mr="buffers_1" vaddr="0x4000000" perms="rw"
//!          setvar_vaddr="buffers_1" setvar_size="buffers_1_size" />
//!     <irq irq="79" id="0" trigger="edge" />
//! </protection_domain>
//!
//! <protection_domain name="client" priority="100">
//!     <program_image path="client.elf" />
//!     <map mr="buffers_1" vaddr="0x4000000" perms="rw"
//!          setvar_vaddr="buffers" setvar_size="buffers_size" />
//! </protection_domain>
//!
//! <channel>
//!     <end pd="block" id="1" />
//!     <end pd="client" id="1" pp="true" />
//! </channel>
//! ```
//!
//! - The interrupt has the `id` 0 at the driver.
//! - Up to two clients have the `id`s 1 and 2 at the driver. Each client has `pp="true"` and any
//!   `id` at its own end. The driver maps the buffers of client *N* with the symbols `buffers_N`
//!   and `buffers_N_size`.
//! - The driver must have a higher priority than each client.
//! - No other PD may map `dma`. The disk writes directly to memory. Without an IOMMU, the disk can
//!   access all memory of the machine.
//!
//! # A client
//!
//! ```no_run
//! #![no_std]
//! #![no_main]
//!
//! use core::sync::atomic::Ordering;
//!
//! use microkit_block::{Disk, Operation};
//! use sel4_microkit::{Channel, NullHandler, debug_println, protection_domain, shared_words};
//!
//! #[protection_domain]
//! fn init() -> NullHandler {
//!     let mut disk = Disk::new(Channel::new(1), shared_words!(buffers, buffers_size));
//!     disk.begin_read(0, 1, 0).expect("the disk has a block");
//!     disk.finish(Operation::Buffer(0)).expect("the disk works");
//!     debug_println!("{:#x}", disk.buffer(0)[0].load(Ordering::Relaxed));
//!     NullHandler::new()
//! }
//! ```
//!
//! The crate has no features.
#![no_std]
#![forbid(unsafe_code)]

use core::fmt;
use core::sync::atomic::AtomicU64;
use heapless::Vec;
use sel4_microkit::ipc;
use sel4_microkit::{Channel, ChannelSet, MessageInfo, with_msg_regs};

/// The number of bytes in a block.
pub const BLOCK_BYTES: usize = 512;

/// The number of words in a block.
pub const BLOCK_WORDS: usize = BLOCK_BYTES / size_of::<u64>();

/// The number of blocks in a buffer, and the largest number of blocks in one request.
pub const BUFFER_BLOCKS: usize = 8;

/// The number of buffers of each client.
pub const BUFFERS: usize = 2;

/// The number of words in a buffer.
pub const BUFFER_WORDS: usize = BUFFER_BLOCKS * BLOCK_WORDS;

/// The requests of clients, which are the labels of the calls. [`Disk`] makes these calls.
///
/// The words are the message registers of the call.
pub mod request {
    /// Returns the number of blocks. The reply is one word.
    pub const BLOCKS: u64 = 0;
    /// Starts a read of blocks into a buffer. Word 0 is the first block, word 1 is the number of
    /// blocks, and word 2 is the buffer.
    pub const READ: u64 = 1;
    /// Starts a write of blocks from a buffer, with the same words as [`READ`].
    pub const WRITE: u64 = 2;
    /// Starts a flush, which makes all completed writes permanent.
    pub const FLUSH: u64 = 3;
    /// Returns the requests that were completed since the previous call with this label. The reply
    /// has two words for each request. The first word is the buffer or [`FLUSHED`]. The second word
    /// is the result, one of [`reply`](super::reply).
    pub const COMPLETED: u64 = 4;

    /// A reply has this value in place of the buffer if the completed request is a flush.
    pub const FLUSHED: u64 = u64::MAX;
}

/// The labels of the driver's replies, and the results of completed requests.
pub mod reply {
    /// The request was executed or started.
    pub const DONE: u64 = 0;
    /// The request or the buffer is unknown, or the request has more blocks than a buffer.
    pub const UNKNOWN: u64 = 1;
    /// Some of the blocks are beyond the end of the disk.
    pub const OUTSIDE: u64 = 2;
    /// The buffer is in use, or a flush has not been completed.
    pub const BUSY: u64 = 3;
    /// The disk is read-only.
    pub const READ_ONLY: u64 = 4;
    /// The disk has failed.
    pub const FAILED: u64 = 5;
}

/// The client's end of the disk.
#[derive(Debug)]
pub struct Disk {
    driver: Channel,
    buffers: &'static [AtomicU64],
    completed: Vec<(u64, Result<(), Error>), { BUFFERS + 1 }>,
    missed: ChannelSet,
}

/// A request that [`Disk::finish`] waits for.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum Operation {
    /// The request that reads into or writes from this buffer.
    Buffer(usize),
    /// The flush of this client.
    Flush,
}

/// The error of a request that was not started or has failed.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum Error {
    /// The buffer is unknown, or the request has more blocks than a buffer.
    Unknown,
    /// Some of the blocks are beyond the end of the disk.
    Outside,
    /// The buffer is in use, or a flush has not been completed. Call [`finish`](Disk::finish)
    /// first.
    Busy,
    /// The disk is read-only.
    ReadOnly,
    /// The disk or its driver has failed.
    Failed,
}

impl Error {
    fn from_reply(reply: u64) -> Result<(), Self> {
        match reply {
            reply::DONE => Ok(()),
            reply::UNKNOWN => Err(Self::Unknown),
            reply::OUTSIDE => Err(Self::Outside),
            reply::BUSY => Err(Self::Busy),
            reply::READ_ONLY => Err(Self::ReadOnly),
            _ => Err(Self::Failed),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "there is no such buffer, or it does not have so many blocks",
            Self::Outside => "some of these blocks are not on the disk",
            Self::Busy => "the buffer is in use, or a flush is not completed",
            Self::ReadOnly => "the disk is read-only",
            Self::Failed => "the disk or its driver has failed",
        })
    }
}

impl core::error::Error for Error {}

impl Disk {
    /// Creates the client's end, with the buffers in `buffers`.
    ///
    /// **Rights:** a channel with `pp="true"` to the driver, and a `<map>` with `rw` of the region
    /// that the driver maps as `buffers_N` for its channel *N*. The driver must have a higher
    /// priority.
    ///
    /// # Panics
    ///
    /// Panics if the region is smaller than [`BUFFERS`] times [`BUFFER_WORDS`] words.
    pub fn new(driver: Channel, buffers: &'static [AtomicU64]) -> Self {
        assert!(
            buffers.len() >= BUFFERS * BUFFER_WORDS,
            "the region of the disk's buffers has {} words: {BUFFERS} buffers of {BUFFER_WORDS} are \
             needed",
            buffers.len()
        );
        Self {
            driver,
            buffers,
            completed: Vec::new(),
            missed: ChannelSet::default(),
        }
    }

    /// Returns the number of blocks of the disk.
    ///
    /// **Blocking:** until the driver answers. The driver does not wait for the disk.
    pub fn blocks(&self) -> u64 {
        self.call(request::BLOCKS, [0; 3]).1
    }

    /// Returns the words of a buffer. The first block is in the first words.
    ///
    /// While a request for the buffer is under way, the driver reads or writes these words.
    ///
    /// # Panics
    ///
    /// Panics if `buffer` is [`BUFFERS`] or more.
    pub fn buffer(&self, buffer: usize) -> &'static [AtomicU64] {
        assert!(buffer < BUFFERS, "a client has {BUFFERS} buffers");
        &self.buffers[buffer * BUFFER_WORDS..][..BUFFER_WORDS]
    }

    /// Starts a read of `count` blocks, from the block number `block`, into a buffer.
    ///
    /// **Blocking:** until the driver answers. The driver does not wait for the disk.
    ///
    /// # Errors
    ///
    /// Returns an error if the request was not started.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use microkit_block::{BUFFER_BLOCKS, Disk, Error, Operation};
    ///
    /// # fn read(disk: &mut Disk) -> Result<(), Error> {
    /// // Both buffers are under way at the same time.
    /// disk.begin_read(0, BUFFER_BLOCKS, 0)?;
    /// disk.begin_read(BUFFER_BLOCKS as u64, BUFFER_BLOCKS, 1)?;
    /// disk.finish(Operation::Buffer(0))?;
    /// disk.finish(Operation::Buffer(1))
    /// # }
    /// ```
    pub fn begin_read(&mut self, block: u64, count: usize, buffer: usize) -> Result<(), Error> {
        let words = [block, count as u64, buffer as u64];
        Error::from_reply(self.call(request::READ, words).0)
    }

    /// Starts a write of `count` blocks from a buffer to the disk, from the block number `block`.
    ///
    /// A completed write may still be in a cache of the disk. [`begin_flush`](Self::begin_flush)
    /// makes completed writes permanent.
    ///
    /// **Blocking:** until the driver answers. The driver does not wait for the disk.
    ///
    /// # Errors
    ///
    /// Returns an error if the request was not started.
    pub fn begin_write(&mut self, block: u64, count: usize, buffer: usize) -> Result<(), Error> {
        let words = [block, count as u64, buffer as u64];
        Error::from_reply(self.call(request::WRITE, words).0)
    }

    /// Starts a flush, which makes all completed writes of this client permanent.
    ///
    /// **Blocking:** until the driver answers. If no request of any client is under way, the driver
    /// waits for the disk before it answers.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Busy`] if a flush has not been completed.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn save(disk: &mut microkit_block::Disk) -> Result<(), microkit_block::Error> {
    /// use microkit_block::Operation;
    ///
    /// disk.begin_write(0, 1, 0)?;
    /// disk.finish(Operation::Buffer(0))?;
    /// disk.begin_flush()?;
    /// disk.finish(Operation::Flush)
    /// # }
    /// ```
    pub fn begin_flush(&mut self) -> Result<(), Error> {
        Error::from_reply(self.call(request::FLUSH, [0; 3]).0)
    }

    /// Waits until a request is completed.
    ///
    /// **Blocking:** until the request is completed. If the request was never started, the method
    /// blocks forever. Notifications of other channels are kept for
    /// [`take_missed`](Self::take_missed).
    /// **Rights:** a PD that no other PD calls and that has no children.
    ///
    /// # Errors
    ///
    /// Returns an error if the request has failed.
    pub fn finish(&mut self, operation: Operation) -> Result<(), Error> {
        let wanted = match operation {
            Operation::Buffer(buffer) => buffer as u64,
            Operation::Flush => request::FLUSHED,
        };
        loop {
            if let Some(place) = self.completed.iter().position(|(it, _)| *it == wanted) {
                return self.completed.swap_remove(place).1;
            }
            self.wait();
            self.ask()?;
        }
    }

    /// Takes the channels that were notified while this client waited for the driver.
    ///
    /// Handle these channels as in [`Handler::notified`](sel4_microkit::Handler::notified): the
    /// event loop does not deliver these notifications again.
    pub fn take_missed(&mut self) -> ChannelSet {
        core::mem::take(&mut self.missed)
    }

    fn wait(&mut self) {
        ipc::wait_for(self.driver, &mut self.missed);
    }

    /// Asks the driver for the completed requests.
    fn ask(&mut self) -> Result<(), Error> {
        let info = self.driver.pp_call(MessageInfo::new(request::COMPLETED, 0));
        with_msg_regs(|words| {
            let (completed, _) = words[..info.count()].as_chunks();
            for &[what, reply] in completed {
                let result = Error::from_reply(reply);
                // `self.completed` has room if the driver reports only requests that are under way.
                self.completed
                    .push((what, result))
                    .map_err(|_| Error::Failed)?;
            }
            Ok(())
        })
    }

    /// Calls the driver. Returns the label and the first word of the reply.
    fn call(&self, request: u64, words: [u64; 3]) -> (u64, u64) {
        let info = MessageInfo::new(request, words.len());
        let (info, reply) = self.driver.pp_call_with_mrs(info, words);
        (info.label(), reply[0])
    }
}
