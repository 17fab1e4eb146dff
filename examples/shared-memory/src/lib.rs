//! The shared definitions of `sharing-client` and `sharing-server`: the layout of the shared
//! memory, and the protocol for leases.
#![no_std]
#![forbid(unsafe_code)]

use microkit_protocol::protocol;
use microkit_shared_memory::{
    CONSUMER_WORDS, Descriptor, Grant, Memory, Part, Refusal, Request, TooSmall, board_words,
    producer_words,
};
use zerocopy::{Immutable, IntoBytes, TryFromBytes};

/// The protocol of a server that lends memory.
#[protocol]
pub trait Leases {
    /// Asks for a lease.
    ///
    /// # Errors
    ///
    /// The server does not lend this memory, or cannot lend it at present.
    fn request(&mut self, request: Request) -> Result<Grant, Refusal>;

    /// Ends a lease.
    ///
    /// # Errors
    ///
    /// The lease does not belong to the caller.
    fn give_back(&mut self, grant: Grant) -> Result<(), Refusal>;
}

/// The size of a buffer in bytes: not a power of two.
pub const BUFFER_BYTES: usize = 40;

/// The number of buffers.
pub const BUFFERS: usize = 3;

/// The number of leases in the server's table.
pub const LEASES: usize = 2;

/// The server's report about its work.
#[derive(Debug, Copy, Clone, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Status {
    /// The number of buffers processed in this incarnation.
    pub buffers: u64,
    /// The number of bytes processed in this incarnation.
    pub bytes: u64,
}

/// The parts of the region that the client writes.
#[derive(Debug)]
pub struct ClientMemory<M> {
    /// The producer's end of the queue to the server, with the descriptors.
    pub requests: Part<M>,
    /// The consumer's end of the queue from the server.
    pub replies: Part<M>,
    /// The state of the client as a borrower.
    pub borrower: Part<M>,
    /// The data that the client keeps for its next incarnation.
    pub kept: Part<M>,
}

impl<M: Memory + Clone> ClientMemory<M> {
    /// Splits this memory into the parts.
    ///
    /// # Errors
    ///
    /// The memory is too small.
    pub fn new(memory: M) -> Result<Self, TooSmall> {
        let rest = Part::whole(memory);
        let (requests, rest) = rest.split_at(producer_words::<Descriptor>(BUFFERS))?;
        let (replies, rest) = rest.split_at(CONSUMER_WORDS)?;
        let (borrower, kept) = rest.split_at(1)?;
        Ok(Self {
            requests,
            replies,
            borrower,
            kept,
        })
    }
}

/// The parts of the region that the server writes.
#[derive(Debug)]
pub struct ServerMemory<M> {
    /// The consumer's end of the queue from the client.
    pub requests: Part<M>,
    /// The producer's end of the queue to the client, with the descriptors.
    pub replies: Part<M>,
    /// The active leases.
    pub board: Part<M>,
    /// The server's [`Status`].
    pub status: Part<M>,
}

impl<M: Memory + Clone> ServerMemory<M> {
    /// Splits this memory into the parts.
    ///
    /// # Errors
    ///
    /// The memory is too small.
    pub fn new(memory: M) -> Result<Self, TooSmall> {
        let rest = Part::whole(memory);
        let (requests, rest) = rest.split_at(CONSUMER_WORDS)?;
        let (replies, rest) = rest.split_at(producer_words::<Descriptor>(BUFFERS))?;
        let (board, status) = rest.split_at(board_words(LEASES))?;
        Ok(Self {
            requests,
            replies,
            board,
            status,
        })
    }
}
