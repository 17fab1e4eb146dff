//! Buffers in shared memory, of which one at a time belongs to one of two protection domains.
//!
//! The client fills a buffer and sends its [`Descriptor`] through a queue; the server uses the
//! buffer where it is, and sends the descriptor back. Who has the [`Buffer`] or the [`Loan`] may
//! use it, and sending consumes it. Each buffer knows its pool. A pool panics when it gets a buffer
//! of another one, since the program has mixed them up.

use core::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::{Bytes, Memory, OutOfBounds, TooSmall, WritableMemory, identity};

const BYTES_PER_WORD: usize = size_of::<u64>();

/// A buffer of a [`Pool`], on its way.
#[derive(Debug, Copy, Clone, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Descriptor {
    /// Which buffer.
    pub index: u32,
    /// How many of its bytes are meant, from the first.
    pub bytes: u32,
    /// Another number each time that a buffer is sent.
    pub round: u64,
}

/// The client's side: `N` buffers, of which it knows where each is.
#[derive(Debug)]
pub struct Pool<M, const N: usize> {
    identity: u64,
    bytes: Bytes<M>,
    buffer_bytes: usize,
    buffers: [Place; N],
    epoch: u32,
}

/// Bits of an incarnation, of which a queue has as many, in a [round](Descriptor::round).
const EPOCH_BITS: u32 = 24;
const COUNT_BITS: u32 = u64::BITS - EPOCH_BITS;

#[derive(Debug, Copy, Clone, PartialEq, Eq)]
enum Place {
    Free,
    Taken,
    Sent { round: u64 },
}

/// A buffer that the client has.
///
/// It is given back by [`Pool::free`]; one that is dropped is not used again.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a buffer that is dropped is not used again"]
pub struct Buffer {
    pool: u64,
    index: usize,
}

impl<M: Memory, const N: usize> Pool<M, N> {
    /// All buffers are the client's, and free. `epoch` is that of the queue's end through which
    /// they are sent, so that what comes back late from another incarnation is known.
    ///
    /// If the server writes to buffers, none is to be taken before the queue [is
    /// settled](crate::Producer::is_settled): it may be writing to one of an earlier incarnation.
    ///
    /// **Errors:** the memory is too small. **Panics:** if `buffer_bytes` is 0, not a multiple of 8
    /// or more than `u32::MAX`; if `epoch` has more than the 24 bits of a queue's.
    #[track_caller]
    pub fn new(memory: M, buffer_bytes: usize, epoch: u32) -> Result<Self, TooSmall> {
        const { assert!(N <= u32::MAX as usize, "an index has 32 bits") };
        assert!(
            epoch >> EPOCH_BITS == 0,
            "{epoch} is not the epoch of a queue, which has {EPOCH_BITS} bits: pass what `epoch` of the \
             queue's end returns"
        );
        // If there are not so many words at all, it is more than any memory has.
        let needs = buffer_words(buffer_bytes).saturating_mul(N);
        let has = memory.words();
        if has < needs {
            return Err(TooSmall { needs, has });
        }
        Ok(Self {
            identity: identity::new(),
            bytes: Bytes::new(memory),
            buffer_bytes,
            buffers: [Place::Free; N],
            epoch,
        })
    }

    /// Takes a buffer, if one is free.
    pub fn take(&mut self) -> Option<Buffer> {
        let index = self.buffers.iter().position(|at| *at == Place::Free)?;
        self.buffers[index] = Place::Taken;
        Some(self.buffer(index))
    }

    /// Makes a buffer free again.
    ///
    /// **Panics:** if it is of another pool.
    #[track_caller]
    pub fn free(&mut self, buffer: Buffer) {
        let index = self.index(&buffer);
        self.buffers[index] = Place::Free;
    }

    /// Hands a buffer over, of which so many bytes are meant: the descriptor is to be sent. If it
    /// cannot be, [`take_back`](Self::take_back) undoes this.
    ///
    /// **Errors:** the buffer is shorter; it is free again.
    /// **Panics:** if it is of another pool.
    #[track_caller]
    pub fn send(&mut self, buffer: Buffer, bytes: usize) -> Result<Descriptor, OutOfBounds> {
        let index = self.index(&buffer);
        if bytes > self.buffer_bytes {
            self.free(buffer);
            return Err(OutOfBounds);
        }
        // Another number than any pool of this incarnation has sent, and, by the incarnation, than
        // any of an earlier one.
        let count = identity::new() & ((1 << COUNT_BITS) - 1);
        let round = u64::from(self.epoch) << COUNT_BITS | count;
        self.buffers[index] = Place::Sent { round };
        Ok(Descriptor {
            // Both fit, by `new`.
            index: index as u32,
            bytes: bytes as u32,
            round,
        })
    }

    /// Takes a buffer that came back.
    ///
    /// **Errors:** it was not sent, or is back already, or was sent in an earlier incarnation.
    pub fn take_back(&mut self, descriptor: &Descriptor) -> Result<Buffer, NotSent> {
        let index = descriptor.index as usize;
        let sent = Place::Sent {
            round: descriptor.round,
        };
        if self.buffers.get(index) != Some(&sent) {
            return Err(NotSent);
        }
        self.buffers[index] = Place::Taken;
        Ok(self.buffer(index))
    }

    /// Makes every buffer free that was sent: to be called when the queue says that the server was
    /// started anew. What comes back of them later is refused. Returns how many there were.
    pub fn take_all_back(&mut self) -> usize {
        let sent = |at: &&mut Place| matches!(at, Place::Sent { .. });
        let all = self.buffers.iter_mut().filter(sent);
        all.map(|at| *at = Place::Free).count()
    }

    /// Copies bytes out of a buffer.
    ///
    /// **Blocks:** never. **Errors:** the buffer is shorter. **Panics:** if it is of another pool.
    #[track_caller]
    pub fn read(&self, buffer: &Buffer, offset: usize, to: &mut [u8]) -> Result<(), OutOfBounds> {
        let index = self.index(buffer);
        let at = place(index, self.buffer_bytes, self.buffer_bytes, offset, to)?;
        self.bytes.read(at, to)
    }

    /// Copies bytes into a buffer.
    ///
    /// **Blocks:** never. **Errors:** the buffer is shorter. **Panics:** if it is of another pool.
    #[track_caller]
    pub fn write(&mut self, buffer: &Buffer, offset: usize, from: &[u8]) -> Result<(), OutOfBounds>
    where
        M: WritableMemory,
    {
        let index = self.index(buffer);
        let at = place(index, self.buffer_bytes, self.buffer_bytes, offset, from)?;
        self.bytes.write(at, from)
    }

    const fn buffer(&self, index: usize) -> Buffer {
        let pool = self.identity;
        Buffer { pool, index }
    }

    #[track_caller]
    fn index(&self, buffer: &Buffer) -> usize {
        assert!(
            buffer.pool == self.identity,
            "this buffer is of another pool: give it to the one that it was taken from"
        );
        buffer.index
    }
}

/// The server's side: the same memory, of whose buffers it has those that it was sent.
#[derive(Debug, Clone)]
pub struct Buffers<M> {
    /// Clones have the same identity.
    identity: u64,
    bytes: Bytes<M>,
    buffer_bytes: usize,
}

/// A buffer that the server has, until it is given back. When the queue says that the client was
/// started anew, it is to be dropped.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the client waits for it"]
pub struct Loan {
    of: u64,
    descriptor: Descriptor,
}

impl<M: Memory> Buffers<M> {
    /// Buffers of the size that the client gives them.
    ///
    /// **Panics:** if `buffer_bytes` is 0, not a multiple of 8 or more than `u32::MAX`.
    #[track_caller]
    pub fn new(memory: M, buffer_bytes: usize) -> Self {
        buffer_words(buffer_bytes);
        Self {
            identity: identity::new(),
            bytes: Bytes::new(memory),
            buffer_bytes,
        }
    }

    /// Takes a buffer that was sent. A client that sends one twice gets it back twice: do not trust
    /// it.
    ///
    /// **Errors:** there is no such buffer, or it is shorter.
    pub fn accept(&self, descriptor: Descriptor) -> Result<Loan, OutOfBounds> {
        let bytes = descriptor.bytes as usize;
        let first = (descriptor.index as usize).checked_mul(self.buffer_bytes);
        let end = first.and_then(|first| first.checked_add(self.buffer_bytes));
        if bytes <= self.buffer_bytes && end.is_some_and(|end| end <= self.bytes.len()) {
            let of = self.identity;
            Ok(Loan { of, descriptor })
        } else {
            Err(OutOfBounds)
        }
    }

    /// Copies bytes out of a buffer. A client that keeps to nothing may write to it meanwhile.
    ///
    /// **Blocks:** never. **Errors:** fewer were sent. **Panics:** if they were sent to other
    /// buffers than these.
    #[track_caller]
    pub fn read(&self, loan: &Loan, offset: usize, to: &mut [u8]) -> Result<(), OutOfBounds> {
        let at = self.place(loan, offset, to)?;
        self.bytes.read(at, to)
    }

    /// Copies bytes into a buffer.
    ///
    /// **Blocks:** never. **Rights:** a `<map>` with `w`. **Errors:** fewer were sent. **Panics:**
    /// if they were sent to other buffers than these.
    #[track_caller]
    pub fn write(&self, loan: &Loan, offset: usize, from: &[u8]) -> Result<(), OutOfBounds>
    where
        M: WritableMemory,
    {
        let at = self.place(loan, offset, from)?;
        self.bytes.write(at, from)
    }

    #[track_caller]
    fn place(&self, loan: &Loan, offset: usize, bytes: &[u8]) -> Result<usize, OutOfBounds> {
        assert!(
            loan.of == self.identity,
            "this loan is of other buffers: give it to those that have accepted it"
        );
        let Descriptor {
            index, bytes: of, ..
        } = loan.descriptor;
        place(
            index as usize,
            self.buffer_bytes,
            of as usize,
            offset,
            bytes,
        )
    }
}

impl Loan {
    /// How many bytes were sent.
    pub const fn bytes(&self) -> usize {
        self.descriptor.bytes as usize
    }

    /// Gives the buffer back: the descriptor is to be sent.
    pub fn give_back(self) -> Descriptor {
        self.descriptor
    }
}

/// Where bytes of a buffer are, if they are among the first `of` of it.
fn place(
    index: usize,
    buffer_bytes: usize,
    of: usize,
    offset: usize,
    bytes: &[u8],
) -> Result<usize, OutOfBounds> {
    let end = offset.checked_add(bytes.len()).ok_or(OutOfBounds)?;
    if end > of {
        return Err(OutOfBounds);
    }
    Ok(index * buffer_bytes + offset)
}

#[track_caller]
fn buffer_words(buffer_bytes: usize) -> usize {
    assert!(
        buffer_bytes > 0
            && buffer_bytes.is_multiple_of(BYTES_PER_WORD)
            && u32::try_from(buffer_bytes).is_ok(),
        "a buffer has a multiple of 8 bytes below 4 GiB, and {buffer_bytes} is none"
    );
    buffer_bytes / BYTES_PER_WORD
}

/// The descriptor is of no buffer that was sent and is not back.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct NotSent;

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the other has given back a buffer that it does not have: it is not to be trusted, or \
             speaks of an earlier incarnation",
        )
    }
}

impl core::error::Error for NotSent {}
