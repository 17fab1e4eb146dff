//! A disk, from the `block` protection domain (PD) that drives it.
//!
//! A client shares a region of [`BUFFERS`] buffers with the driver. A protected call begins a request
//! that is about one of them and is answered at once; a notification says that some are completed.
#![no_std]
#![forbid(unsafe_code)]

use core::fmt;
use core::sync::atomic::AtomicU64;
use heapless::Vec;
use sel4_microkit::ipc;
use sel4_microkit::{Channel, ChannelSet, MessageInfo, with_msg_regs};

/// Bytes of a block.
pub const BLOCK_BYTES: usize = 512;

/// Words of a block.
pub const BLOCK_WORDS: usize = BLOCK_BYTES / size_of::<u64>();

/// Blocks of a buffer: the most that a request can be about.
pub const BUFFER_BLOCKS: usize = 8;

/// Buffers that each client has.
pub const BUFFERS: usize = 2;

/// Words of a buffer.
pub const BUFFER_WORDS: usize = BUFFER_BLOCKS * BLOCK_WORDS;

/// What a client asks for: the label of its call. Words are those of the message.
pub mod request {
    /// How many blocks there are. The reply is one word.
    pub const BLOCKS: u64 = 0;
    /// To read from a block (word 0) so many (word 1) into a buffer (word 2).
    pub const READ: u64 = 1;
    /// To write, likewise.
    pub const WRITE: u64 = 2;
    /// To put all that was written to where it stays.
    pub const FLUSH: u64 = 3;
    /// What is completed. The reply has two words for each: the buffer or [`FLUSHED`], and one of
    /// [`reply`](super::reply).
    pub const COMPLETED: u64 = 4;

    /// Stands for a buffer where there is none.
    pub const FLUSHED: u64 = u64::MAX;
}

/// What the driver answers: the label of its reply.
pub mod reply {
    /// It is done, or begun.
    pub const DONE: u64 = 0;
    /// That is no request, no buffer, or no number of blocks for one.
    pub const UNKNOWN: u64 = 1;
    /// Some of the blocks are not on the disk.
    pub const OUTSIDE: u64 = 2;
    /// The buffer is in use, or a flush is awaited.
    pub const BUSY: u64 = 3;
    /// The disk can be read only.
    pub const READ_ONLY: u64 = 4;
    /// The device has failed.
    pub const FAILED: u64 = 5;
}

/// The disk, as a client sees it.
#[derive(Debug)]
pub struct Disk {
    driver: Channel,
    buffers: &'static [AtomicU64],
    completed: Vec<(u64, Result<(), Error>), { BUFFERS + 1 }>,
    missed: ChannelSet,
}

/// What a request is about.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum What {
    /// This buffer is read into, or written from.
    Buffer(usize),
    /// A flush.
    Flush,
}

/// Why a request was not begun, or has failed.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum Error {
    /// There is no such buffer, or it has not so many blocks.
    Unknown,
    /// Some of the blocks are not on the disk.
    Outside,
    /// The buffer is in use, or a flush is awaited.
    Busy,
    /// The disk can be read only.
    ReadOnly,
    /// The device, or its driver, has failed.
    Failed,
}

impl Error {
    fn of(reply: u64) -> Result<(), Self> {
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
            Self::Unknown => "there is no such buffer, or it has not so many blocks",
            Self::Outside => "not all of these blocks are on the disk",
            Self::Busy => "the buffer is in use, or a flush is awaited",
            Self::ReadOnly => "the disk can be read only",
            Self::Failed => "the disk, or its driver, has failed",
        })
    }
}

impl core::error::Error for Error {}

impl Disk {
    /// A client.
    ///
    /// **Needs:** a channel with `pp="true"` to the driver, whose priority is higher, and the region
    /// that the driver calls `buffers_N` on its channel *N*.
    /// **Panics:** if the region has not [`BUFFERS`] of [`BUFFER_WORDS`].
    pub fn new(driver: Channel, buffers: &'static [AtomicU64]) -> Self {
        assert!(
            buffers.len() >= BUFFERS * BUFFER_WORDS,
            "the region is too small"
        );
        Self {
            driver,
            buffers,
            completed: Vec::new(),
            missed: ChannelSet::default(),
        }
    }

    /// How many blocks the disk has.
    ///
    /// **Blocks:** until the driver answers.
    pub fn blocks(&self) -> u64 {
        self.call(request::BLOCKS, [0; 3]).1
    }

    /// The words of a buffer, the first of the lowest block first. While a request is about it, the
    /// driver reads or writes them.
    ///
    /// **Panics:** if there is no such buffer.
    pub fn buffer(&self, buffer: usize) -> &'static [AtomicU64] {
        assert!(buffer < BUFFERS, "a client has {BUFFERS} buffers");
        &self.buffers[buffer * BUFFER_WORDS..][..BUFFER_WORDS]
    }

    /// Begins to read `count` blocks from `block` on into a buffer.
    ///
    /// **Blocks:** until the driver answers, which does not wait for the disk.
    /// **Errors:** it was not begun.
    pub fn begin_read(&mut self, block: u64, count: usize, buffer: usize) -> Result<(), Error> {
        let words = [block, count as u64, buffer as u64];
        Error::of(self.call(request::READ, words).0)
    }

    /// Begins to write `count` blocks from a buffer to `block` and on.
    ///
    /// **Blocks and errors:** as [`begin_read`](Self::begin_read).
    pub fn begin_write(&mut self, block: u64, count: usize, buffer: usize) -> Result<(), Error> {
        let words = [block, count as u64, buffer as u64];
        Error::of(self.call(request::WRITE, words).0)
    }

    /// Begins to put all that was written to where it stays.
    ///
    /// **Blocks:** until the driver answers. **Errors:** it was not begun.
    pub fn begin_flush(&mut self) -> Result<(), Error> {
        Error::of(self.call(request::FLUSH, [0; 3]).0)
    }

    /// Waits until a request that was begun is completed.
    ///
    /// **Blocks:** until then; what is notified meanwhile is for [`take_missed`](Self::take_missed).
    /// **Needs:** a PD that nobody calls and that has no children. **Errors:** it has failed.
    pub fn finish(&mut self, what: What) -> Result<(), Error> {
        let wanted = match what {
            What::Buffer(buffer) => buffer as u64,
            What::Flush => request::FLUSHED,
        };
        loop {
            if let Some(place) = self.completed.iter().position(|(it, _)| *it == wanted) {
                return self.completed.swap_remove(place).1;
            }
            self.wait();
            self.ask()?;
        }
    }

    /// The channels that were notified while this waited for its own.
    pub fn take_missed(&mut self) -> ChannelSet {
        core::mem::take(&mut self.missed)
    }

    fn wait(&mut self) {
        ipc::wait_for(self.driver, &mut self.missed);
    }

    /// Asks what is completed.
    fn ask(&mut self) -> Result<(), Error> {
        let info = self.driver.pp_call(MessageInfo::new(request::COMPLETED, 0));
        with_msg_regs(|words| {
            let (completed, _) = words[..info.count()].as_chunks();
            for &[what, reply] in completed {
                let result = Error::of(reply);
                // No more can be under way than there is room for.
                self.completed
                    .push((what, result))
                    .map_err(|_| Error::Failed)?;
            }
            Ok(())
        })
    }

    /// The label of the reply, and its first word.
    fn call(&self, request: u64, words: [u64; 3]) -> (u64, u64) {
        let info = MessageInfo::new(request, words.len());
        let (info, reply) = self.driver.pp_call_with_mrs(info, words);
        (info.label(), reply[0])
    }
}
