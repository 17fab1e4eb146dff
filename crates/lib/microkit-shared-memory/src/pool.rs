//! Buffers in shared memory. Each belongs to one of two protection domains at a time.
//!
//! The client fills a buffer and sends its [`Descriptor`] through a queue. The server uses the buffer in
//! place, and sends the descriptor back. Only the owner of a [`Buffer`] or a [`Loan`] can use it, and
//! sending consumes it. Each buffer knows its pool. A pool panics when it gets a buffer of another pool,
//! because that is a mistake of its own program.

use core::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::{Bytes, Memory, OutOfBounds, TooSmall, WritableMemory, identity};

const BYTES_PER_WORD: usize = size_of::<u64>();

/// A buffer of a [`Pool`], as it is sent through a queue.
#[derive(Debug, Copy, Clone, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Descriptor {
    /// The number of the buffer.
    pub index: u32,
    /// The number of valid bytes, from the first on.
    pub bytes: u32,
    /// Another number each time that a buffer is sent.
    pub round: u64,
}

/// The client's side: `N` buffers, and who has each of them.
///
/// # Examples
///
/// ```
/// use microkit_shared_memory::{Buffers, Pool};
/// # use sel4_microkit::SharedWord;
/// # let region: &'static [SharedWord] = Box::leak((0..64).map(|_| SharedWord::new(0)).collect());
///
/// // The client. The epoch is that of its end of the queue: `producer.epoch()`.
/// let mut pool: Pool<_, 2> = Pool::new(region, 64, 1)?;
/// let buffer = pool.take().expect("all are free");
/// pool.write(&buffer, 0, b"hello")?;
/// let descriptor = pool.send(buffer, 5)?;
/// // producer.push(&descriptor)?;
///
/// // The server, which got the descriptor from the queue.
/// let buffers = Buffers::new(region, 64);
/// let loan = buffers.accept(descriptor)?;
/// let mut bytes = [0; 5];
/// buffers.read(&loan, 0, &mut bytes)?;
/// assert_eq!(&bytes, b"hello");
/// let descriptor = loan.give_back();
///
/// // The client again.
/// let buffer = pool.take_back(&descriptor)?;
/// pool.free(buffer);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Pool<M, const N: usize> {
    identity: u64,
    bytes: Bytes<M>,
    buffer_bytes: usize,
    buffers: [Place; N],
    epoch: u32,
}

/// The bits of an epoch in a [round](Descriptor::round): as many as a queue has.
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
/// [`Pool::free`] makes it free again. A buffer that is dropped is never used again.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a buffer that is dropped is not used again"]
pub struct Buffer {
    pool: u64,
    index: usize,
}

impl<M: Memory, const N: usize> Pool<M, N> {
    /// Creates the pool, with all buffers free. `epoch` is that of the client's end of the queue
    /// through which descriptors are sent. It tells descriptors of another incarnation apart, if
    /// they come back late.
    ///
    /// If the server writes to buffers, take none before the queue [is
    /// settled](crate::Producer::is_settled): the server may still be writing to one of an earlier
    /// incarnation.
    ///
    /// # Errors
    ///
    /// Returns [`TooSmall`] if the memory is too small.
    ///
    /// # Panics
    ///
    /// Panics if `buffer_bytes` is 0, not a multiple of 8 or more than `u32::MAX`, or if `epoch`
    /// has more than the 24 bits of a queue's epoch.
    #[track_caller]
    pub fn new(memory: M, buffer_bytes: usize, epoch: u32) -> Result<Self, TooSmall> {
        const { assert!(N <= u32::MAX as usize, "an index has 32 bits") };
        assert!(
            epoch >> EPOCH_BITS == 0,
            "{epoch} is not the epoch of a queue, which has {EPOCH_BITS} bits: pass the `epoch()` of the \
             queue's end"
        );
        // A number of words that overflows is larger than any memory.
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

    /// Takes a free buffer, if there is one.
    pub fn take(&mut self) -> Option<Buffer> {
        let index = self.buffers.iter().position(|at| *at == Place::Free)?;
        self.buffers[index] = Place::Taken;
        Some(self.buffer(index))
    }

    /// Makes a buffer free again.
    ///
    /// # Panics
    ///
    /// Panics if the buffer is of another pool.
    #[track_caller]
    pub fn free(&mut self, buffer: Buffer) {
        let index = self.index(&buffer);
        self.buffers[index] = Place::Free;
    }

    /// Hands a buffer over to the server. `bytes` is the number of its valid bytes. Send the
    /// descriptor through the queue; if that fails, [`take_back`](Self::take_back) undoes this
    /// call.
    ///
    /// # Errors
    ///
    /// Returns [`OutOfBounds`] if the buffer is shorter. Then it is free again.
    ///
    /// # Panics
    ///
    /// Panics if the buffer is of another pool.
    #[track_caller]
    pub fn send(&mut self, buffer: Buffer, bytes: usize) -> Result<Descriptor, OutOfBounds> {
        let index = self.index(&buffer);
        if bytes > self.buffer_bytes {
            self.free(buffer);
            return Err(OutOfBounds);
        }
        // No other pool of this incarnation has sent this count, and no earlier incarnation has the
        // same epoch.
        let count = identity::new() & ((1 << COUNT_BITS) - 1);
        let round = u64::from(self.epoch) << COUNT_BITS | count;
        self.buffers[index] = Place::Sent { round };
        Ok(Descriptor {
            // Both fit: `new` has checked.
            index: index as u32,
            bytes: bytes as u32,
            round,
        })
    }

    /// Takes a buffer that the server has sent back.
    ///
    /// # Errors
    ///
    /// Returns [`NotSent`] if the buffer was not sent, is back already, or was sent by an earlier
    /// incarnation.
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

    /// Makes all buffers free that were sent, and returns their number. Call it when the queue
    /// reports that the server was restarted. Their descriptors are refused if they come back
    /// later.
    pub fn take_all_back(&mut self) -> usize {
        let sent = |at: &&mut Place| matches!(at, Place::Sent { .. });
        let all = self.buffers.iter_mut().filter(sent);
        all.map(|at| *at = Place::Free).count()
    }

    /// Copies bytes out of a buffer.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`OutOfBounds`] if the buffer is shorter.
    ///
    /// # Panics
    ///
    /// Panics if the buffer is of another pool.
    #[track_caller]
    pub fn read(&self, buffer: &Buffer, offset: usize, to: &mut [u8]) -> Result<(), OutOfBounds> {
        let index = self.index(buffer);
        let at = place(index, self.buffer_bytes, self.buffer_bytes, offset, to)?;
        self.bytes.read(at, to)
    }

    /// Copies bytes into a buffer.
    ///
    /// **Blocking:** never. **Rights:** a `<map>` with `w`.
    ///
    /// # Errors
    ///
    /// Returns [`OutOfBounds`] if the buffer is shorter.
    ///
    /// # Panics
    ///
    /// Panics if the buffer is of another pool.
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
            "this buffer is of another pool: pass it to the pool that it was taken from"
        );
        buffer.index
    }
}

/// The server's side: the same memory, in which it uses the buffers that it was sent.
///
/// [`Pool`] has an example.
#[derive(Debug, Clone)]
pub struct Buffers<M> {
    /// Clones have the same identity.
    identity: u64,
    bytes: Bytes<M>,
    buffer_bytes: usize,
}

/// A buffer that the server has until it gives it back. Drop it when the queue reports that the
/// client was restarted.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the client waits for it"]
pub struct Loan {
    of: u64,
    descriptor: Descriptor,
}

impl<M: Memory> Buffers<M> {
    /// Creates the server's side, with the client's size of buffers.
    ///
    /// # Panics
    ///
    /// Panics if `buffer_bytes` is 0, not a multiple of 8 or more than `u32::MAX`.
    #[track_caller]
    pub fn new(memory: M, buffer_bytes: usize) -> Self {
        buffer_words(buffer_bytes);
        Self {
            identity: identity::new(),
            bytes: Bytes::new(memory),
            buffer_bytes,
        }
    }

    /// Takes a buffer that was sent. A client that sends a buffer twice gets it back twice: what
    /// that does to its data is its own trouble.
    ///
    /// # Errors
    ///
    /// Returns [`OutOfBounds`] if there is no such buffer, or it is shorter.
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

    /// Copies bytes out of a buffer. A client that breaks the rules may write to it at the same
    /// time.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`OutOfBounds`] if fewer bytes were sent.
    ///
    /// # Panics
    ///
    /// Panics if the loan was accepted by other [`Buffers`].
    #[track_caller]
    pub fn read(&self, loan: &Loan, offset: usize, to: &mut [u8]) -> Result<(), OutOfBounds> {
        let at = self.place(loan, offset, to)?;
        self.bytes.read(at, to)
    }

    /// Copies bytes into a buffer.
    ///
    /// **Blocking:** never. **Rights:** a `<map>` with `w`.
    ///
    /// # Errors
    ///
    /// Returns [`OutOfBounds`] if fewer bytes were sent.
    ///
    /// # Panics
    ///
    /// Panics if the loan was accepted by other [`Buffers`].
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
            "this loan is of other buffers: pass it to the `Buffers` that have accepted it"
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
    /// Returns the number of bytes that were sent.
    pub const fn bytes(&self) -> usize {
        self.descriptor.bytes as usize
    }

    /// Gives the buffer back. Send the descriptor to the client.
    pub fn give_back(self) -> Descriptor {
        self.descriptor
    }
}

/// Returns the place of bytes of a buffer in the memory, if they are among its first `of` bytes.
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
        "the size of a buffer must be a multiple of 8 bytes below 4 GiB, and {buffer_bytes} is not"
    );
    buffer_bytes / BYTES_PER_WORD
}

/// The descriptor is not of a buffer that was sent and is not back.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct NotSent;

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the peer has given back a buffer that it does not have: it is broken or hostile, or \
             the buffer is of an earlier incarnation",
        )
    }
}

impl core::error::Error for NotSent {}
