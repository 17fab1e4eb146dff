//! What `sharing-client` and `sharing-server` agree on: what is where in the memory that they
//! share, and how leases are asked for.
#![no_std]
#![forbid(unsafe_code)]

use microkit_protocol::protocol;
use microkit_shared_memory::{
    CONSUMER_WORDS, Descriptor, Grant, Memory, Part, Refusal, Request, TooSmall, board_words,
    producer_words,
};
use zerocopy::{Immutable, IntoBytes, TryFromBytes};

/// Of a server that lends memory.
#[protocol]
pub trait Leases {
    /// Asks for a lease.
    fn request(&mut self, request: Request) -> Result<Grant, Refusal>;

    /// Gives one back.
    fn give_back(&mut self, grant: Grant) -> Result<(), Refusal>;
}

/// How many bytes a buffer has: no power of two.
pub const BUFFER_BYTES: usize = 40;

/// How many buffers there are.
pub const BUFFERS: usize = 3;

/// How many leases the server's table has room for.
pub const LEASES: usize = 2;

/// What the server says of its work.
#[derive(Debug, Copy, Clone, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Status {
    /// How many buffers it has dealt with in this incarnation.
    pub buffers: u64,
    /// How many bytes in all of them.
    pub bytes: u64,
}

/// The parts of the region that the client writes.
#[derive(Debug)]
pub struct ClientMemory<M> {
    /// Its end of the queue to the server, which holds the descriptors.
    pub requests: Part<M>,
    /// Its end of the queue from the server.
    pub replies: Part<M>,
    /// What it says of itself as a borrower.
    pub borrower: Part<M>,
    /// What it keeps for its next incarnation.
    pub kept: Part<M>,
}

impl<M: Memory + Clone> ClientMemory<M> {
    /// The parts of this memory.
    ///
    /// **Errors:** it is too small.
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
    /// Its end of the queue from the client.
    pub requests: Part<M>,
    /// Its end of the queue to the client, which holds the descriptors.
    pub replies: Part<M>,
    /// Which leases are under way.
    pub board: Part<M>,
    /// Its [`Status`].
    pub status: Part<M>,
}

impl<M: Memory + Clone> ServerMemory<M> {
    /// The parts of this memory.
    ///
    /// **Errors:** it is too small.
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
