//! Buffers in shared memory. Each buffer belongs to one of two protection domains at a time.
//!
//! The client fills a buffer and sends its [`Descriptor`] through a queue. The server uses the
//! buffer in place, and sends the descriptor back. Access to a buffer requires its [`Buffer`] or
//! [`Loan`], and sending the buffer consumes this value. Each [`Buffer`] identifies its pool. A
//! pool panics if a caller passes a buffer of another pool, because this is a bug in the caller's
//! program.

use core::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::{Bytes, Memory, OutOfBounds, TooSmall, WritableMemory, identity};

const BYTES_PER_WORD: usize = size_of::<u64>();

/// The message that identifies a sent buffer of a [`Pool`].
#[derive(Debug, Copy, Clone, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Descriptor {
    /// The index of the buffer.
    pub index: u32,
    /// The number of valid bytes at the start of the buffer.
    pub bytes: u32,
    /// A number that is different each time a buffer is sent.
    pub round: u64,
}

/// The client's side of a pool: `N` buffers, and the owner of each buffer.
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

/// The number of bits of the epoch in a [round](Descriptor::round). A queue's epoch has the same
/// number of bits.
const EPOCH_BITS: u32 = 24;
const COUNT_BITS: u32 = u64::BITS - EPOCH_BITS;

#[derive(Debug, Copy, Clone, PartialEq, Eq)]
enum Place {
    Free,
    Taken,
    Sent { round: u64 },
}

/// A buffer that the client owns.
///
/// [`Pool::free`] frees the buffer. A dropped buffer is never used again.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a buffer that is dropped is not used again"]
pub struct Buffer {
    pool: u64,
    index: usize,
}

impl<M: Memory, const N: usize> Pool<M, N> {
    /// Creates the pool, with all buffers free. `epoch` is the epoch of the `Producer`
    /// with which the client sends the descriptors. The pool uses the epoch to refuse late
    /// descriptors of another incarnation.
    ///
    /// If the server writes to buffers, do not take a buffer before the queue [is
    /// settled](crate::Producer::is_settled). Until then, the server may still write to a buffer of
    /// an earlier incarnation.
    ///
    /// # Errors
    ///
    /// Returns [`TooSmall`] if the memory is too small.
    ///
    /// # Panics
    ///
    /// Panics if `buffer_bytes` is 0, not a multiple of 8, or more than `u32::MAX`. Panics if
    /// `epoch` has more than 24 bits, the size of a queue's epoch.
    #[track_caller]
    pub fn new(memory: M, buffer_bytes: usize, epoch: u32) -> Result<Self, TooSmall> {
        const { assert!(N <= u32::MAX as usize, "an index has 32 bits") };
        assert!(
            epoch >> EPOCH_BITS == 0,
            "{epoch} is not the epoch of a queue, which has {EPOCH_BITS} bits: pass the `epoch()` of the \
             queue's end"
        );
        // If the multiplication saturates, the result is larger than any memory, so this check
        // fails.
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

    /// Takes a free buffer, or returns `None` if no buffer is free.
    pub fn take(&mut self) -> Option<Buffer> {
        let index = self.buffers.iter().position(|at| *at == Place::Free)?;
        self.buffers[index] = Place::Taken;
        Some(self.buffer(index))
    }

    /// Frees a buffer.
    ///
    /// # Panics
    ///
    /// Panics if the buffer belongs to another pool.
    #[track_caller]
    pub fn free(&mut self, buffer: Buffer) {
        let index = self.index(&buffer);
        self.buffers[index] = Place::Free;
    }

    /// Hands a buffer over to the server. `bytes` is the number of valid bytes at the start of the
    /// buffer. Send the returned descriptor through the queue. If sending fails,
    /// [`take_back`](Self::take_back) undoes this call.
    ///
    /// # Errors
    ///
    /// Returns [`OutOfBounds`] if the buffer is shorter than `bytes`. After this error, the buffer
    /// is free again.
    ///
    /// # Panics
    ///
    /// Panics if the buffer belongs to another pool.
    #[track_caller]
    pub fn send(&mut self, buffer: Buffer, bytes: usize) -> Result<Descriptor, OutOfBounds> {
        let index = self.index(&buffer);
        if bytes > self.buffer_bytes {
            self.free(buffer);
            return Err(OutOfBounds);
        }
        // The round is unique: no other pool of this incarnation uses this count, and no earlier
        // incarnation has this epoch.
        let count = identity::new() & ((1 << COUNT_BITS) - 1);
        let round = u64::from(self.epoch) << COUNT_BITS | count;
        self.buffers[index] = Place::Sent { round };
        Ok(Descriptor {
            // Both casts are lossless: `new` has checked the sizes.
            index: index as u32,
            bytes: bytes as u32,
            round,
        })
    }

    /// Takes a buffer that the server has sent back.
    ///
    /// # Errors
    ///
    /// Returns [`NotSent`] if the buffer was not sent, was already taken back, or was sent by an
    /// earlier incarnation.
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

    /// Frees all sent buffers, and returns their number. Call this when the queue reports a restart
    /// of the server. Late descriptors of these buffers are refused.
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
    /// Returns [`OutOfBounds`] if the range reaches beyond the end of the buffer.
    ///
    /// # Panics
    ///
    /// Panics if the buffer belongs to another pool.
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
    /// Returns [`OutOfBounds`] if the range reaches beyond the end of the buffer.
    ///
    /// # Panics
    ///
    /// Panics if the buffer belongs to another pool.
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

/// The server's side of a pool: access to received buffers in the same memory.
///
/// [`Pool`] has an example.
#[derive(Debug, Clone)]
pub struct Buffers<M> {
    /// Clones have the same identity.
    identity: u64,
    bytes: Bytes<M>,
    buffer_bytes: usize,
}

/// A received buffer. The server may use the buffer until [`give_back`](Loan::give_back). Drop the
/// loan when the queue reports a restart of the client.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the client waits for it"]
pub struct Loan {
    of: u64,
    descriptor: Descriptor,
}

impl<M: Memory> Buffers<M> {
    /// Creates the server's side. `buffer_bytes` must be the same as in the client's [`Pool`].
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

    /// Accepts a received buffer. A client that sends a buffer twice gets the buffer back twice,
    /// and can corrupt only its own data.
    ///
    /// # Errors
    ///
    /// Returns [`OutOfBounds`] if the descriptor's index or length is out of bounds.
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

    /// Copies bytes out of a buffer. A malicious client may write to the buffer at the same time.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`OutOfBounds`] if the range reaches beyond the bytes that were sent.
    ///
    /// # Panics
    ///
    /// Panics if other [`Buffers`] have accepted the loan.
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
    /// Returns [`OutOfBounds`] if the range reaches beyond the bytes that were sent.
    ///
    /// # Panics
    ///
    /// Panics if other [`Buffers`] have accepted the loan.
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

    /// Ends the loan. Send the returned descriptor to the client.
    pub fn give_back(self) -> Descriptor {
        self.descriptor
    }
}

/// Returns the index in the memory of the byte at `offset` of a buffer. `bytes` must be inside the
/// first `of` bytes of the buffer.
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

/// The descriptor does not identify a buffer that is currently sent.
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
